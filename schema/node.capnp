@0xd4b1a0c7e95f2836;
# What two nodes say to each other about calls and values. It travels between their gateways (runtime/gateway), in
# batches over the calls connection (schema/node_link.capnp); the bytes of large values travel over the bulk connection.
#
# Vocabulary. The *origin* is the node on which a call was submitted, the *target* the one that runs it. A gateway is a
# process of its node: at the origin it claims calls as a worker does, at the target it submits them as a driver does. So
# a worker never sees that its caller is far away, and a caller never sees that its worker is.
#
# Order. Messages of one connection arrive in order, or the connection is over. When it is over everything that was under
# way is lost: the origin's calls count as lost (`Outcome.lost`), the target's run to their end and nobody hears of it.
#
# Definitions. Jobs, functions and classes are named by numbers of the sender, and are defined once per connection before
# they are first used. They are the same on every node by their content: a job by its id, a function by all its fields.
#
# Values. A value of up to a few KiB travels in its message. A larger one stays in the sender's store, is named there by
# its object id, and is pulled by the receiver before the call (or the caller) sees it. References inside a value travel
# with it: those that have a small value as that value, those to objects as names, those to calls that still run as
# promises, which the sender keeps with `resolved`, or breaks: then its value is an error. A sender keeps what it named
# until the receiver says `released`, which it does also of what it refuses or does not want.
#
# Objects. They are pulled in chunks. Who wants a large one asks who named it (`locate`), and is referred to nodes that
# have it or are getting it (`located`): those serve what is there of it, and the rest when it comes. It says when it has
# all of it, or has let go of it (`copyState`), so that it can be referred to, and when a source did not serve it; then it
# asks again. Who named it serves it, too, and is asked when all else fails. Each node that has an object serves every
# member of the cluster that pulls it.
#
# Actors. An actor has one *home*, the node that created it: that counts its handles, has its name and decides whether it
# restarts. It may run on another node, which hosts it for its home (`create`), and other nodes that have handles of it
# have stand-ins (`open`): to its callers each node looks as if the actor were there. Calls name the number of the
# create or open message that they belong to, and arrive in the order in which they are to run. The number is over with
# `closeActor` or with an `actorState` that is not `alive`.
#
# Bounds. A batch has at most 512 messages and 1 MiB, but for one message that is larger by itself; at most 16 batches are
# under way in each direction. No message is larger than 32 MiB: what would be fails where it is to be sent. Who breaks a
# rule loses the connection; both sides then begin afresh. Of one object at most 1024 pulls wait at a node, at most four
# sources are named at a time, and of at most 4096 objects is remembered who has them; beyond that pulls are refused, and
# the node that named an object serves all of it.

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("sabir::schema");

using Session = import "/schema/session.capnp";
using Gateway = import "/schema/gateway.capnp";

struct ObjectId {
  # Equal in every process and on every node.
  uid @0 :UInt64;
  sequence @1 :UInt64;
}

struct WireValue {
  encoding @0 :UInt8;              # as in a value's header (docs/values.md)
  language @1 :UInt8;
  variant @2 :UInt8;
  isError @3 :Bool;
  union {
    bytes @4 :Data;
    stored @5 :Stored;
  }
  refs @6 :List(WireRef);

  struct Stored {
    id @0 :ObjectId;
    sizeBytes @1 :UInt64;
    isYours @2 :Bool;
    # In a call's argument: the receiver has named it to the sender, who has not released it, and takes its own. The
    # sender does not name it.
  }
}

struct WireRef {
  id @0 :ObjectId;
  union {
    value @1 :WireValue;           # it is ready
    promised @2 :Void;             # `resolved` will follow, and is for all who have the promise then
    actor @3 :WireActor;           # a handle; `id` is the actor's
  }
}

struct WireActor {
  home @0 :Gateway.NodeKey;
  name @1 :Text;
  className @2 :Text;
  classInfo @3 :Data;
  language @4 :UInt8;
  maxTaskRetries @5 :Int32;
}

struct WireArg {
  name @0 :Text;                   # "": positional
  value @1 :WireValue;
}

struct JobDefinition {
  number @0 :UInt32;
  id @1 :Data;                     # 16 bytes
  config @2 :Session.JobConfig;
}

struct FunctionDefinition {
  number @0 :UInt32;
  kind @1 :UInt32;
  language @2 :UInt8;
  name @3 :Text;
  code @4 :Data;
}

struct ClassDefinition {
  number @0 :UInt32;
  resources @1 :List(Session.Resource);
  scheduling @2 :Session.Scheduling;
  # Of a class in a placement group alone: its calls run in bundles that the receiver has. Other strategies have done
  # what they are for when a call is sent.
}

struct CallMessage {
  number @0 :UInt64;               # of this call on this connection, by the origin
  job @1 :UInt32;
  function @2 :UInt32;
  class @3 :UInt32;
  numReturns @4 :UInt16;
  attempt @5 :UInt16;
  args @6 :List(WireArg);
  actor @7 :UInt64;                # set: a method of this actor; there is no class
}

struct OpenActor {
  number @0 :UInt64;               # of this actor on this connection, by the sender
  job @1 :UInt32;
  actorId @2 :Data;                # 16 bytes
  union {
    open @3 :Void;                 # the receiver is its home
    create :group {                # the receiver is to host it; the sender is its home
      function @4 :UInt32;
      class @5 :UInt32;
      maxConcurrency @6 :UInt32;
      name @7 :Text;               # for itself to know; the home has it
      className @8 :Text;
      classInfo @9 :Data;
      args @10 :List(WireArg);
    }
  }
}

struct ActorState {
  number @0 :UInt64;
  state @1 :State;
  message @2 :Text;
  error @3 :Data;                  # `failed`: a Value, the error that ended it; may be empty

  enum State {
    alive @0;                      # its constructor has returned: calls may come
    failed @1;                     # its constructor failed; of one with its home at the sender: it is dead for good
    left @2;                       # it ended in order
    crashed @3;                    # its process died
  }
}

struct ResultMessage {
  number @0 :UInt64;
  outcome @1 :Outcome;
  values @2 :List(WireValue);      # `values`: as many as the call returns; `failed`, `retryable`: the error value
  message @3 :Text;                # `lost`, `notBegun`: why

  enum Outcome {
    values @0;
    failed @1;                     # user code raised, or the runtime says what is wrong
    retryable @2;                  # the same, and retry_errors applies to it
    lost @3;                       # the worker died: an attempt
    notBegun @4;                   # it did not run: no attempt
  }
}

struct Located {
  id @0 :ObjectId;
  self @1 :Bool;                   # the sender itself is to be asked
  others @2 :List(Gateway.NodeKey);
  # These are; none at all: it is not known here.
}

struct CopyState {
  id @0 :ObjectId;
  state @1 :State;
  source @2 :Gateway.NodeKey;      # `failed`

  enum State {
    has @0;                        # the sender has all of it
    gone @1;                       # ... has it no more, or does not want it any more
    failed @2;                     # `source` did not serve it
  }
}

struct NodeMessage {
  union {
    job @0 :JobDefinition;
    function @1 :FunctionDefinition;
    class @2 :ClassDefinition;
    call @3 :CallMessage;
    result @4 :ResultMessage;
    resolved :group {
      id @5 :ObjectId;
      value @6 :WireValue;
    }
    released @7 :List(ObjectId);
    # What the sender named and the receiver needs no more: one count each.
    jobOver @8 :UInt32;
    # The job has ended at its origin: its calls here end, and everything of it.
    pull :group {
      # Of an object that the receiver of this message has named, or has a copy of.
      id @9 :ObjectId;
      transfer @10 :UInt64;        # on the bulk connection, chosen by the sender of this message
      offset @18 :UInt64;
      sizeBytes @19 :UInt64;       # from there; refused if the object ends before
    }
    between @11 :Data;
    # From node manager to node manager; gateways do not look inside. In order among themselves; they may overtake what
    # was said before of calls.
    openActor @12 :OpenActor;
    actorState @13 :ActorState;
    closeActor :group {
      # No handle of it is left at the sender, or it is to die at once.
      number @14 :UInt64;
      kill @15 :Bool;
    }
    killActor :group {
      # Its home is to kill it.
      number @16 :UInt64;
      noRestart @17 :Bool;
    }
    locate @20 :ObjectId;
    # Of an object that the receiver has named: where is it? `located` follows. From then on the sender is getting it.
    located @21 :Located;
    copyState @22 :CopyState;
    control @23 :Data;
    # As `between`, but one of both is not the head's node manager but the control store behind it.
  }
}

interface NodeGateway {
  deliver @0 (messages :List(NodeMessage)) -> ();
  # The answer is the credit for another batch.
}
