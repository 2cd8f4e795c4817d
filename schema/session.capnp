@0xc2a7d5b1f0e34a61;
# The control channel between a process (driver or worker) and its node, over the node's Unix socket.
#
# Vocabulary. `sabird` serves; a *process* connects. A connection is a *session membership*: it lives exactly as long
# as the process's slot in the process table. Closing it is how a process leaves; for sabird the process is dead when
# its pidfd says so (protocol rule D1), and sabird kills a worker whose connection closes. An *observer* is a
# command-line tool: it has no slot, no segments and no membership.
#
# Where. SESSION/node.sock, mode 0600, in a directory of mode 0700 that both sides check. sabird closes a connection
# of another uid (rule T1) at once, and knows its peer by SO_PEERCRED and a pidfd, never by what the peer says. A
# driver that starts its own sabird passes one end of a socket pair instead, and speaks the same on it.
#
# Order on the wire. (1) The process sends one frame: 4 bytes little-endian length, then a Cap'n Proto message with a
# `Hello`, in the standard stream framing. (2) sabird answers with one frame in the same form with a `Welcome`; if it
# welcomes a driver or worker, the frame's first byte carries, as SCM_RIGHTS, four descriptors in this order: node
# segment, calls segment, objects segment, sabird's eventfd. (3) From then on both sides speak Cap'n Proto two-party
# RPC; sabird's bootstrap capability is `Session`. No descriptors travel in any other place; what a process sends
# along is dropped.
#
# Ending. A process that closes first ends its writing (shutdown) and reads until sabird closes, so that what it sent
# last is still read: sabird stops reading a connection that it cannot answer.
#
# Limits. A frame has at most 1 MiB, and the hello must be complete a few seconds after the connection. A message has
# at most 64 MiB, 512 segments, 64 levels of pointers and 16 capabilities; all calls in progress of one process
# together are bounded in number (then: exhausted) and in bytes. sabird reads no further calls of a process while that
# does not read its answers. Who breaks a limit or sends what is no message loses its connection, and nothing else
# happens.
#
# Versions. The process says which protocol versions it speaks, sabird chooses. The layout of the shared memory must
# be equal (`layoutHash`). If either does not fit, the refusal (`unsupported`) says which releases met.
#
# Requests. Every mutating call carries a `requestId` made by the caller: from 1, rising in the order of sending,
# unique for the life of the connection. A second call with the same id has no second effect and gets the first one's
# answer, also while the first still runs. sabird remembers the last 1024 answers; an id that is no newer than a
# forgotten one is refused (`invalid`), never run again. One id names one method. Every call has a deadline at the
# caller. After it the outcome is unknown; the caller may ask again under the same id. Unknown fields are ignored,
# fields are only added, numbers never reused. Errors that a caller can act on come back in the results (`Failure`),
# never as RPC exceptions.

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("sabir::schema");

const protocolVersion :UInt32 = 1;

struct Failure {
  # status 0: no failure. The numbers are those of sabir_status in sabir.h.
  status @0 :Int32;
  message @1 :Text;
}

struct Resource {
  name @0 :Text;      # "CPU", "GPU", "memory", or the user's
  units @1 :Int64;    # in 1/10000
}

struct LabelCondition {
  # Of a label of a node: "eu", "!eu", "in(eu, us)", "!in(eu, us)", "exists()", "!exists()".
  key @0 :Text;
  text @1 :Text;
}

struct Scheduling {
  # Where a call or an actor is to run. Equal words are one scheduling class.
  kind @0 :Kind;
  nodeId @1 :Data;               # node: 16 bytes
  soft @2 :Bool;                 # node: elsewhere if that node is gone or can never run it; else `unschedulable`
  labels @3 :List(LabelCondition);
  fallback @4 :List(Labels);     # in this order, when no node of the earlier ones can run it now
  groupId @5 :Data;              # group: 16 bytes
  bundle @6 :Int32 = -1;         # group: its index; -1: any
  captureChildren @7 :Bool;      # group: calls made inside that say nothing of where they run do so in the group, too
  enum Kind { anywhere @0; spread @1; node @2; group @3; }
  struct Labels { conditions @0 :List(LabelCondition); }
}

struct Bundle {
  resources @0 :List(Resource);  # reserved on one node; 1 to 32, not all of them 0
  labels @1 :List(LabelCondition); # that node meets them
}

struct GroupSpec {
  # A placement group. The amounts of all its bundles are reserved, or those of none.
  id @0 :Data;                   # 16 bytes, chosen by whoever makes it: so creating it twice is creating it once
  name @1 :Text;                 # at most 256 bytes; "": none
  namespace @2 :Text;            # the same; "": the job's
  detached @3 :Bool;             # it outlives its job
  strategy @4 :Strategy;
  bundles @5 :List(Bundle);      # 1 to 256
  enum Strategy { pack @0; spread @1; strictPack @2; strictSpread @3; }
}

struct LanguageEnv {
  # How workers of one language are started. See schema/zygote.md for `zygote`.
  language @0 :UInt8;
  mode @1 :Mode;
  argv @2 :List(Text);
  slotsPerProcess @3 :UInt32 = 1; # workers that share a process, 1 to 64; more than one with exec only
  enum Mode { none @0; zygote @1; exec @2; }
}

struct JobConfig {
  name @0 :Text;
  namespace @1 :Text;            # of actor names; "" means one of the job's own
  languageEnvs @2 :List(LanguageEnv);
  opaque @3 :Data;               # for the SDK's workers: import paths, working directory
  logToDriver @4 :Bool;
  language @5 :UInt8;            # the driver's own; 0: it did not say
  id @6 :Data;                   # of a job that began on another node: the node's gateway alone may say so
  driverNode @7 :Data;           # of such a job: the node that its driver is on, 16 bytes
}

struct Hello {
  magic @0 :UInt64;              # 0x53616269720a1a00
  minVersion @1 :UInt32;         # of this protocol that the process can speak
  maxVersion @2 :UInt32;
  layoutHash @3 :UInt64;         # of its shared-memory layout (T6)
  library @4 :Text;              # version of libsabir.so, for messages
  union {
    driver @5 :JobConfig;
    worker @6 :Text;             # the token of its launch
    observer @7 :Void;           # command-line tools: no slot and no segments; only `status`, `stop`, `drain`
                                 # and the `kv` calls
  }
}

struct Welcome {
  failure @0 :Failure;           # set: the connection is closed after this frame
  version @1 :UInt32;
  sessionId @2 :Data;            # 16 bytes
  nodeId @3 :Data;               # 16 bytes
  slot @4 :UInt16;
  incarnation @5 :UInt32;
  job @6 :UInt32;
  jobId @7 :Data;                # 16 bytes
  jobConfig @8 :JobConfig;       # for workers; the effective namespace for drivers
  actor @9 :HostedActor;         # for a worker that is to host an actor
  sessionPath @10 :Text;
  daemonVersion @11 :Text;
  language @12 :UInt8;           # of the process: a worker's as it was launched, a driver's as it said
}

struct HostedActor {
  present @0 :Bool;
  actor @1 :UInt32;
  incarnation @2 :UInt32;
  actorId @3 :Data;
  classFunction @4 :UInt32;
  args @5 :Data;                 # as in a call's argument bytes (docs/values.md)
  maxConcurrency @6 :UInt32;
  name @7 :Text;
  classInfo @8 :Data;            # for a gateway's worker only, which has another node host it
  className @9 :Text;
  imported @10 :Bool;            # the same: the actor lives on another node already
  scheduling @11 :Scheduling;    # of an actor in a placement group: which one
}

enum LendKind { cells @0; entries @1; blocks @2; }

struct ActorOrigin {
  # Of an actor that this node has something to do with because of another one. The node's gateway alone may say so.
  role @0 :Role;
  actorId @1 :Data;              # 16 bytes: what users see, the same on all nodes
  node @2 :Data;                 # its home: the node that created it and decides about it; 16 bytes
  incarnation @3 :UInt64;
  enum Role {
    own @0;                      # nothing of the kind: created here, by a user
    hosted @1;                   # runs here, for its home
    imported @2;                 # a stand-in for one that has its home elsewhere: calls go there
    known @3;                    # in createActor: the actor of this node that has the id; nothing is made
  }
}

struct ActorSpec {
  classFunction @0 :UInt32;
  name @1 :Text;
  namespace @2 :Text;            # "": the job's
  resources @3 :List(Resource);
  maxRestarts @4 :Int32;         # -1 for ever
  maxTaskRetries @5 :Int32;
  maxConcurrency @6 :UInt32;
  detached @7 :Bool;
  getIfExists @8 :Bool;
  classInfo @9 :Data;
  language @10 :UInt8;
  className @11 :Text;
  origin @12 :ActorOrigin;
  scheduling @13 :Scheduling;
}

struct ActorInfo {
  actor @0 :UInt32;
  entry @1 :UInt32;              # its object entry (holds of handles)
  generation @2 :UInt64;
  actorId @3 :Data;
  name @4 :Text;
  className @5 :Text;
  classInfo @6 :Data;
  language @7 :UInt8;
  maxTaskRetries @8 :Int32;
  existed @9 :Bool;
  homeNode @10 :Data;            # empty: this node
  homeIncarnation @11 :UInt64;
}

struct EntryRef {
  entry @0 :UInt32;
  generation @1 :UInt64;
}

struct LogLines {
  pid @0 :UInt32;
  stream @1 :UInt32;             # 1 stdout, 2 stderr
  taskName @2 :Text;
  text @3 :Text;                 # whole lines
  droppedLines @4 :UInt64;
}

struct ObjectChange {
  kind @0 :Kind;
  entry @1 :EntryRef;

  enum Kind {
    wanted @0;   # somebody on this node waits for it: fetch and deliver it
    unheld @1;   # nobody on this node holds it any more
    lost @2;     # this process said that it can make it again, and is the one to deliver it now
  }
}

interface Notices {
  # Served by the process. sabird has at most one `log` call in flight per process: a slow driver loses lines (counted),
  # never memory.
  log @0 (lines :List(LogLines)) -> ();
  warn @1 (text :Text) -> ();            # for the user: a class that no node can serve, ...
  collect @2 () -> ();                   # the store is under pressure: run garbage collectors, give idle loans back
  exit @3 (reason :Text) -> ();          # leave after the current call
  group @4 (id :Data, failure :Failure) -> ();
  # Once for each watchGroup that was answered with `ready` false: it is ready now, or never will be.
  objects @5 (changes :List(ObjectChange)) -> ();
  # About values that this process said are elsewhere (O10), or can make again (O11).
}

interface Session {
  subscribe @0 (notices :Notices) -> ();
  # Once, first. What sabird says before that waits, except log lines.

  lend @1 (requestId :UInt64, kind :LendKind) -> (failure :Failure, index :UInt32);
  # One chunk of cells, one batch of entries or one chunk of blocks, for as long as the process lives.

  loan @2 (requestId :UInt64, sizeBytes :UInt64, waitNs :Int64) -> (failure :Failure, offset :UInt64, sizeBytes :UInt64, reused :Bool);
  # A range of the objects segment to write into (O1, O3). `reused`: this process had it before, its alias still stands.
  # Waits up to waitNs for room; then STORE_FULL, with what fills the store in the message.
  returnLoan @3 (requestId :UInt64, offset :UInt64) -> (failure :Failure);
  # Of a loan in which nothing was announced, or which is idle: the alias has been unmapped.

  declareClass @4 (requestId :UInt64, language :UInt8, resources :List(Resource), scheduling :Scheduling) -> (failure :Failure, classIndex :UInt32, queue :UInt32, infeasible :Text);
  # The scheduling class (L1) and this process's queue in it. `infeasible`: no node can ever run its
  # calls, and why; they wait.

  exportFunction @5 (requestId :UInt64, kind :UInt32, language :UInt8, name :Text, code :Data) -> (failure :Failure, index :UInt32);
  # Idempotent by content within a job.
  fetchFunction @6 (index :UInt32) -> (failure :Failure, kind :UInt32, language :UInt8, name :Text, code :Data);

  createActor @7 (requestId :UInt64, spec :ActorSpec) -> (failure :Failure, info :ActorInfo);
  # Registers; takes the name; the caller's hold on the entry counts at once.
  startActor @8 (requestId :UInt64, actor :UInt32, args :Data, refs :List(EntryRef)) -> (failure :Failure);
  # Its arguments are ready. sabird holds `refs` as long as the actor may restart.
  failActor @9 (requestId :UInt64, actor :UInt32, message :Text, error :Data) -> (failure :Failure);
  # By the creator (an argument failed) or by its worker (the constructor raised).
  actorStarted @10 (requestId :UInt64, actor :UInt32, incarnation :UInt32) -> (failure :Failure);
  # By its worker: the constructor returned.
  getActor @11 (name :Text, namespace :Text) -> (failure :Failure, info :ActorInfo);
  # The caller's hold on the entry counts at once.
  describeActor @12 (actor :UInt32, generation :UInt64) -> (failure :Failure, info :ActorInfo, error :Data, crashed :Bool);
  # By entry generation, for handles that came inside values. `error`: the error value that ended it, if it did.
  # `crashed`: its process died, and only max_restarts kept it from another one.
  killActor @13 (requestId :UInt64, actor :UInt32, noRestart :Bool) -> (failure :Failure);
  leave @14 (requestId :UInt64, crash :Text) -> (failure :Failure);
  # A worker ends in order after this: its actor is not restarted. `crash`: by a gateway's worker whose actor died on
  # another node, and what there is to say of it: that is no end in order.

  kvPut @15 (requestId :UInt64, key :Text, value :Data, overwrite :Bool) -> (failure :Failure, added :Bool);
  kvGet @16 (key :Text) -> (failure :Failure, found :Bool, value :Data);
  kvDelete @17 (requestId :UInt64, key :Text) -> (failure :Failure, deleted :Bool);

  status @18 () -> (json :Text, failure :Failure);
  stop @19 (requestId :UInt64) -> (failure :Failure);
  # Ends the node and every process of it. From an observer or the driver that started the node.

  drain @20 (requestId :UInt64, node :Text, deadlineNs :Int64) -> (failure :Failure, nodeId :Text);
  # A node of the cluster, by its name or the beginning of its id in hex (at most 256 bytes), gets nothing new, and leaves
  # when it has nothing left to do, or after the deadline; -1: it has as long as it takes. The whole id comes back.

  createGroup @21 (requestId :UInt64, spec :GroupSpec) -> (failure :Failure);
  # It is registered, and its name taken; its bundles follow.
  watchGroup @22 (requestId :UInt64, id :Data) -> (failure :Failure, ready :Bool);
  # Not ready: Notices.group follows. `groupRemoved`: there is none with this id (any more). At most 4096 of a process
  # wait at a time (exhausted).
  removeGroup @23 (requestId :UInt64, id :Data) -> (failure :Failure);
  # What runs in it ends. Of a group that is not there: nothing happens.
  findGroups @24 (id :Data, name :Text, namespace :Text) -> (failure :Failure, json :Text);
  # By id; or by name, in the namespace ("": the job's); or all of them, at most 4096. A list, as in the status.
}
