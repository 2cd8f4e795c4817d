@0xdee91cecda12e15e;
# What the node managers (sabird) of a cluster say to each other: who is a member, what each of them has, and leases of
# its capacity. One message is one Cap'n Proto message in the standard stream framing, without a prefix; the gateways
# carry it as bytes (`between`, `joinRequest` and `joinAnswer` of gateway.capnp).
#
# Vocabulary. A *node* is one sabird, known by its node id (16 bytes, never all zero) and an *incarnation*, which the
# head gives it when it registers and which is never 0. The *head* is the node that takes members in and out. The *view*
# is what a node knows of all the others' resources.
#
# Who says what to whom. Each node, the head's too, talks with the *control store*, a process of its own at the head
# (runtime/head), which keeps members, names and values. It has no address of its own: its words come from the head's
# node, marked as its (`control` of gateway.capnp). Nodes talk with each other about leases and output.
#
# Joining. A node that is no member, or was declared dead, sends `registerRequest` and gets `registerAnswer`: its
# incarnation and everything that it must know, or a failure. The same start of a node gets the same answer. From then on
# `members` tells it what changed: all members, each time; of two the one with the higher epoch counts, then the one with
# the higher version. A node that goes by itself says `leaving` first.
#
# Signs of life. A node sends a `heartbeat` every few seconds and says which `members` it has; the answer has its sequence,
# and the members follow if they are others. All other messages count as signs of life, too.
#
# A new epoch is another life of the control store: it knows what it had answered, and nothing else. Who sees one sends
# its report whole, the position of its view and the requests that it has no answer to.
#
# View (rules V1-V6, runtime/node/cluster/node_report.h). A member sends `nodeReport` to the control store and gets
# `reportAnswer`. That sends `viewBatch` to each member and gets `viewPosition`: what the member has now.
#
# Leases (rules E1-E7, runtime/node/cluster/remote_lease.h). The client sends `leaseRequest` and `leaseStatus`, the
# server `leaseAnswer`, `leaseStatusAnswer` and, unasked, `leaseRecall`.
#
# Requests (rules of runtime/control/reply_cache.h). A node numbers its `controlRequest`s from 1, says with each which is
# the lowest that it has no answer to, and repeats one until its `controlAnswer` comes or it gives up: a change is made
# once, and its answer is on the disk with it. At most 1024 are open: a number is less than that above the lowest. A node
# asks for a name of an actor before it gives a new actor one, and when it does not know one.
#
# Output of workers. The node that a job's driver is on gets `logLines` from the nodes that run its calls, one message of
# a job under way at a time, and answers each with `logAnswer`, shown or dropped.
#
# Actors that wait (rule A11, runtime/node/actors.h). The home of an actor that another node hosts, and that does not live
# yet, asks for it by `reclaimActor` when there is room elsewhere. Does it wait for resources there, it never begins, and
# `actorReclaimed` says so; else there is no answer.
#
# Placement groups: groups.capnp.
#
# Bounds. A message has at most 4 MiB, 512 segments and 16 levels of pointers. Those of lists and texts are at the
# fields. Amounts are in 1/10000 and not negative where nothing else is said; there are at most 32 in a list, with names
# of 1 to 256 bytes, each once. A message that breaks a bound, or is of a kind that the receiver does not know, is
# refused as a whole and changes nothing. Fields are only added, numbers never reused.

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("sabir::schema");

using Session = import "/schema/session.capnp";
using Gateway = import "/schema/gateway.capnp";
using Groups = import "/schema/groups.capnp";

using NodeKey = Gateway.NodeKey;
using Member = Gateway.ClusterMember;
# Host of at most 253 bytes; fingerprint of 32 bytes, or empty without TLS.

struct ClusterMessage {
  union {
    registerRequest @0 :RegisterRequest;
    registerAnswer @1 :RegisterAnswer;
    members :group {
      version @2 :UInt64;
      members @3 :List(Member);      # at most 4096
      epoch @25 :UInt64;
    }
    nodeReport @4 :NodeReport;
    reportAnswer :group {
      version @5 :UInt64;            # of the report
      answer @6 :ReportAnswer;
    }
    viewBatch @7 :ViewBatch;
    viewPosition :group {
      epoch @8 :UInt64;
      version @9 :UInt64;
    }
    leaseRequest @10 :LeaseRequest;
    leaseAnswer @11 :LeaseAnswer;
    leaseStatus @12 :LeaseStatus;
    leaseStatusAnswer @13 :LeaseStatusAnswer;
    leaseRecall @14 :LeaseRecall;
    heartbeat :group {
      sequence @15 :UInt64;
      epoch @26 :UInt64;             # of the last `members` that it has; 0: none
      version @27 :UInt64;
    }
    heartbeatAnswer :group {
      sequence @16 :UInt64;          # of the heartbeat
    }
    leaving :group {
      reason @17 :Text;              # for people; at most 512 bytes
    }
    retired18 @18 :NameRequest;      # of a release before the control store had a process; refused
    retired19 @19 :NameAnswer;
    logLines :group {
      job @20 :Data;                 # its id, 16 bytes
      sequence @21 :UInt64;
      lines @22 :List(Session.LogLines);  # at most 1024, with texts of at most 1 MiB together
    }
    logAnswer :group {
      job @23 :Data;
      sequence @24 :UInt64;          # of the message
    }
    controlRequest @28 :ControlRequest;
    controlAnswer @29 :ControlAnswer;
    group @30 :Groups.GroupMessage;
    reclaimActor :group {
      actor @31 :Data;               # its id, 16 bytes
      incarnation @32 :UInt32;       # of the home's, and the answer has it too
    }
    actorReclaimed :group {
      actor @33 :Data;
      incarnation @34 :UInt32;
    }
  }
}

struct RegisterRequest {
  node @0 :Data;                     # 16 bytes
  name @1 :Text;                     # for people; at most 256 bytes
  host @2 :Text;                     # where others reach its port; empty: where its connection came from
  port @3 :UInt16;
  release @4 :Text;                  # for messages; at most 64 bytes
  layoutHash @5 :UInt64;             # of its shared-memory layout (T6)
  startId @6 :Data;                  # 16 bytes: of this start of the node
}

struct RegisterAnswer {
  failure @0 :Session.Failure;       # set: nothing else is; message of at most 512 bytes
  incarnation @1 :UInt64;            # of the node that asked
  clusterId @2 :Data;                # 16 bytes
  head @3 :NodeKey;
  epoch @4 :UInt64;                  # of the head's life, as in ViewBatch
  members @5 :List(Member);          # all of them, at most 4096
}

struct NamedActor {
  home @0 :NodeKey;
  actorId @1 :Data;                  # 16 bytes
  className @2 :Text;                # at most 1024 bytes
  classInfo @3 :Data;                # at most 1 MiB
  language @4 :UInt8;
  maxTaskRetries @5 :Int32;
}

struct NameRequest {
  number @0 :UInt64;                 # of the node's; for the answer
  kind @1 :Kind;
  namespace @2 :Text;                # at most 1024 bytes
  name @3 :Text;                     # at most 1024 bytes
  actor @4 :NamedActor;              # `take`, `free`
  enum Kind { take @0; find @1; free @2; }
}

struct ControlRequest {
  number @0 :UInt64;                 # from 1
  lowestUnanswered @1 :UInt64;       # at most `number`
  union {
    name @2 :NameRequest;            # whose number is 0
    putValue :group {
      key @3 :Data;                  # 1 to 1024 bytes; so are all
      value @4 :Data;                # at most 1 MiB
      overwrite @5 :Bool;            # else a value that is there stays
    }
    getValue @6 :Data;               # key
    eraseValue @7 :Data;             # key
    listKeys :group {
      prefix @8 :Data;               # at most 1024 bytes
      after @9 :Data;                # a key, at most 1024 bytes: those behind it; empty: from the first
      limit @10 :UInt16;             # 1 to 1024
    }
    drain :group {
      node @11 :Text;                # its name, or the beginning of its id in hex; at most 256 bytes
      deadlineNs @12 :Int64;         # from now; -1: none
    }
    startJob @14 :ClusterJob;        # of the node that asks
    endJob :group {
      id @15 :Data;                  # 16 bytes; one that is not known: nothing to do
      end @16 :Text;                 # at most 512 bytes
    }
    listJobs @17 :Void;
  }
  epoch @13 :UInt64;                 # of the life that it is sent to: no other one takes it
}

struct ClusterJob {
  # A program that uses the cluster, and what became of it.
  id @0 :Data;                       # 16 bytes
  name @1 :Text;                     # at most 1024 bytes
  namespace @2 :Text;                # at most 1024 bytes
  driverPid @3 :UInt32;
  node @4 :NodeKey;                  # of its driver
  startedUnixMs @5 :Int64;           # by the control store's clock; 0 in `startJob`
  endedUnixMs @6 :Int64;             # 0: it runs
  end @7 :Text;                      # how it ended, for people; at most 512 bytes
}

struct ControlAnswer {
  number @0 :UInt64;                 # of the request
  failure @1 :Session.Failure;       # set: nothing else is; message of at most 512 bytes
  union {
    done @2 :Void;                   # free, startJob, endJob
    actor @3 :NamedActor;            # take, find: who has the name
    flag @4 :Bool;                   # putValue: the key is new; eraseValue: it was there
    value @5 :Data;                  # getValue: at most 1 MiB
    keys @6 :List(Data);             # at most 1024, each at most 1024 bytes
    node @7 :NodeKey;                # drain
    jobs @8 :List(ClusterJob);       # listJobs: all that run, and the last that ended; at most 2048
  }
}

struct NameAnswer {
  number @0 :UInt64;
  failure @1 :Session.Failure;       # set: nothing else is; message of at most 512 bytes
  actor @2 :NamedActor;              # who has the name
}

struct NodeReport {
  node @0 :NodeKey;
  version @1 :UInt64;                # V1; from 1
  staticsVersion @2 :UInt64;         # V2; from 1
  statics @3 :Statics;               # null: as told before
  available @4 :List(Int64);         # of each total, in the order of the statics; may be below zero
  gpuFree @5 :List(Int64);           # by index, at most 64
  draining @6 :Bool;
  waiting @7 :UInt64;                # calls
  demand @8 :List(Demand);           # at most 16; empty in a batch
  storeUsedBytes @9 :UInt64;
  storeCapacityBytes @10 :UInt64;

  struct Statics {
    total @0 :List(Session.Resource);
    labels @1 :List(Label);          # at most 64, each key once
  }

  struct Label {
    key @0 :Text;                    # 1 to 128 bytes
    value @1 :Text;                  # at most 128 bytes
  }

  struct Demand {
    # Calls alike in what they need, that wait at the node.
    resources @0 :List(Session.Resource);
    waiting @1 :UInt64;
    infeasible @2 :Bool;             # no node of the cluster could serve it
    reason @3 :Text;                 # for people; at most 512 bytes
  }
}

enum ReportAnswer {
  accepted @0;
  needsAll @1;                       # the statics are not known here: send them
  fenced @2;                         # this incarnation is over
}

struct ViewBatch {
  epoch @0 :UInt64;                  # of the head's life, rising
  from @1 :UInt64;                   # for whoever has at least this version
  to @2 :UInt64;                     # what it has afterwards; not below `from`
  members @3 :List(NodeKey);         # null: no snapshot (V4); at most 4096
  reports @4 :List(NodeReport);      # at most 4096
  gone @5 :List(NodeKey);            # at most 4096
}

struct LeaseRequest {
  client @0 :NodeKey;
  server @1 :NodeKey;
  number @2 :UInt64;                 # E1
  class @3 :UInt64;                  # of calls, as the client numbers them
  job @4 :UInt32;                    # of the cluster
  language @5 :UInt8;
  resources @6 :List(Session.Resource);  # of one call; GPUs above one are whole
  group @7 :Data;                    # 16 bytes: the placement group; empty: none
  bundle @8 :Int32 = -1;             # -1: any of the group
  captureChildCalls @9 :Bool;
  slots @10 :UInt32;                 # as many as possible of these; 1 to 256
  waitNs @11 :Int64;                 # for the first slot; 0: now or never
}

enum LeaseOutcome { granted @0; waiting @1; refused @2; }

struct LeaseAnswer {
  client @0 :NodeKey;
  server @1 :NodeKey;
  number @2 :UInt64;
  outcome @3 :LeaseOutcome;
  slots @4 :UInt32;                  # at most 256
  validNs @5 :Int64;                 # E4
  reason @6 :Text;                   # if refused, for people; at most 512 bytes
  report @7 :NodeReport;             # what the server has now; null: it does not say
}

struct LeaseSlots {
  number @0 :UInt64;
  slots @1 :UInt32;                  # at most 256
}

struct LeaseStatus {
  client @0 :NodeKey;
  server @1 :NodeKey;
  sequence @2 :UInt64;
  nextLease @3 :UInt64;              # E3
  open @4 :List(LeaseSlots);         # at most 1024; slots 0xffffffff: the client has no answer yet
}

struct LeaseStatusAnswer {
  client @0 :NodeKey;
  server @1 :NodeKey;
  sequence @2 :UInt64;               # of the status
  validNs @3 :Int64;                 # E4
  held @4 :List(LeaseSlots);         # at most 1024
}

struct LeaseRecall {
  client @0 :NodeKey;
  server @1 :NodeKey;
  number @2 :UInt64;
  slots @3 :UInt32;                  # so many stay; at most 256
}
