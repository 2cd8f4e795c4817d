@0xe3b7a90c41d6f258;
# What the head's sabird and its control store say to each other, over a socket pair that sabird made when it started that
# process: frames of 4 bytes little-endian length and a Cap'n Proto message in the standard stream framing, one way each,
# in order. Both are the same program and the same release.
#
# sabird passes on what nodes say and does not look inside; what it says itself, as a node like the others, is a message
# too. When the control store dies sabird starts it again and repeats the joins that have no answer; everybody else
# repeats for himself. When sabird dies so does the control store.

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("sabir::schema");

using Gateway = import "/schema/gateway.capnp";

struct ToControl {
  union {
    start :group {                 # first, once
      directory @0 :Text;          # of its file
      durable @1 :Bool;            # against loss of power, too
      clusterId @2 :Data;          # 16 bytes
      headId @3 :Data;             # 16 bytes: the node that this sabird is
      deadAfterNs @4 :Int64;       # of silence
      mustExist @11 :Bool;         # there was a file: none is no new beginning
    }
    joinRequest :group {           # of a node that wants to become a member
      number @5 :UInt64;           # sabird's, for the answer; 0: of the head itself
      bytes @6 :Data;              # registerRequest of cluster.capnp
      fingerprint @7 :Data;        # 32 bytes of the certificate that it showed; empty without TLS
      host @8 :Text;               # where its connection came from
    }
    message :group {
      node @9 :Gateway.NodeKey;    # who says it
      bytes @10 :Data;             # of cluster.capnp
    }
  }
}

struct FromControl {
  union {
    ready @0 :UInt64;              # it serves; the epoch of this life, rising
    failed :group {                # its last word
      why @1 :Text;
      final @2 :Bool;              # another start would come to the same
      fenced @7 :Bool;             # another control store has the file now
    }
    joinAnswer :group {
      number @3 :UInt64;
      bytes @4 :Data;              # registerAnswer of cluster.capnp
    }
    message :group {
      node @5 :Gateway.NodeKey;    # for whom
      bytes @6 :Data;
    }
  }
}
