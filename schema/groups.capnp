@0xb7d0a4c1e95f2386;
# Placement groups: between the *coordinator*, which is part of the control store and knows all groups of the cluster, and
# the nodes that ask it for groups or have bundles of them. Rules G1-G9, runtime/node/cluster/group_messages.h. It is one
# arm of ClusterMessage, whose bounds hold; a group has 1 to 256 bundles.
#
# A node that wants something sends a `request`, again and again until it has the `answer` with its number; a second one
# has no second effect. Each names the life of the control store that it is for: another one does not take it, and says
# `members`, as for a `controlRequest`. Of groups that it asked about a node gets `changed` when something is new; in
# another life of the control store it asks again.

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("sabir::schema");

using Session = import "/schema/session.capnp";
using Gateway = import "/schema/gateway.capnp";

using NodeKey = Gateway.NodeKey;

struct GroupMessage {
  union {
    prepare @0 :PrepareBundles;
    prepareAnswer @1 :PrepareAnswer;
    commit @2 :CommitBundles;
    commitAnswer @3 :CommitAnswer;
    drop @4 :DropBundles;
    dropAnswer @5 :DropAnswer;
    inventory @6 :BundleInventory;
    request @7 :GroupRequest;
    answer @8 :GroupAnswer;
    changed @9 :GroupState;
  }
}

struct PrepareBundles {
  struct Bundle {
    index @0 :UInt32;                # below 256
    resources @1 :List(Session.Resource);
  }
  epoch @0 :UInt64;                  # of the coordinator
  node @1 :NodeKey;                  # whom it is for
  group @2 :Data;                    # 16 bytes
  attempt @3 :UInt64;
  bundles @4 :List(Bundle);          # by rising index
}

struct PrepareAnswer {
  node @0 :NodeKey;
  group @1 :Data;
  attempt @2 :UInt64;
  prepared @3 :Bool;
  reason @4 :Text;                   # if not, for people; at most 512 bytes
}

struct CommitBundles {
  epoch @0 :UInt64;
  node @1 :NodeKey;
  group @2 :Data;
  attempt @3 :UInt64;
  bundles @4 :List(UInt32);
}

struct CommitAnswer {
  node @0 :NodeKey;
  group @1 :Data;
  attempt @2 :UInt64;
  committed @3 :List(UInt32);
  unknown @4 :List(UInt32);          # G4
}

struct DropBundles {
  struct Bundle {
    index @0 :UInt32;
    upToAttempt @1 :UInt64;
  }
  epoch @0 :UInt64;
  node @1 :NodeKey;
  group @2 :Data;
  bundles @3 :List(Bundle);
}

struct DropAnswer {
  node @0 :NodeKey;
  group @1 :Data;
  bundles @2 :List(DropBundles.Bundle);
}

struct BundleInventory {
  struct Bundle {
    group @0 :Data;
    index @1 :UInt32;
    attempt @2 :UInt64;
    committed @3 :Bool;
  }
  node @0 :NodeKey;
  bundles @1 :List(Bundle);          # at most 65536
}

struct GroupState {
  spec @0 :Session.GroupSpec;        # of one that is gone: its id alone
  stage @1 :Stage;
  infeasible @2 :Bool;               # no nodes ever could have its bundles, as the cluster is
  reason @3 :Text;                   # why it is not ready, for people; at most 512 bytes
  nodes @4 :List(NodeKey);           # of each bundle; incarnation 0: it has no place
  job @5 :Data;                      # 16 bytes
  version @6 :UInt64;                # of two states of a group the one with the higher counts
  enum Stage {
    pending @0;                      # waits for room
    preparing @1;                    # bundles are being reserved
    ready @2;
    replacing @3;                    # a node with bundles of it is gone; they wait for another one
    gone @4;                         # removed, or never heard of
  }
}

struct GroupRequest {
  number @0 :UInt64;                 # by the node that asks, rising
  union {
    create :group {
      spec @1 :Session.GroupSpec;    # with a namespace
      job @2 :Data;                  # that it ends with, 16 bytes
      home @3 :NodeKey;              # of that job: it ends with this node, too
    }
    remove @4 :Data;
    wait @5 :Data;                   # answered when it is ready, or never will be; has no end of its own
    cancelWait @6 :UInt64;           # the number of the `wait`; not answered
    find :group {
      # By id; or by name; or all, if both are empty.
      id @7 :Data;
      name @8 :Text;
      namespace @9 :Text;
    }
    endJob @10 :Data;                # its groups are removed, but for detached ones
  }
  epoch @11 :UInt64;                 # of the life of the control store that it is sent to
}

struct GroupAnswer {
  number @0 :UInt64;
  failure @1 :Session.Failure;
  groups @2 :List(GroupState);       # find; at most 4096
}
