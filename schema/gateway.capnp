@0xa6c2f07d13e8b594;
# What sabird and its gateway say to each other, over a socket pair that sabird made when it started the gateway: frames
# of 4 bytes little-endian length and a Cap'n Proto message in the standard stream framing, one way each, in order.
# Nothing is answered but by another message. Both are the same program and the same release.
#
# sabird decides: who is a member, which calls go where. The gateway has the port, the certificate and the connections,
# and carries what passes between nodes. When one of the two dies, so does the other, and with them the node.

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("sabir::schema");

using Session = import "/schema/session.capnp";

struct NodeKey {
  id @0 :Data;                     # 16 bytes
  incarnation @1 :UInt64;
}

struct NodeAddress {
  host @0 :Text;
  port @1 :UInt16;
  fingerprint @2 :Data;            # 32 bytes of the certificate; empty without TLS
}

struct ClusterMember {
  key @0 :NodeKey;
  address @1 :NodeAddress;
  dead @2 :Bool;                   # fenced: this incarnation and those before it
  # Gateways need none of these.
  name @3 :Text;                   # for people; at most 256 bytes
  draining @4 :Bool;               # it gets nothing new, and leaves when it has nothing left to do ...
  drainLeftNs @5 :Int64 = -1;      # ... or after so long; -1: it has as long as it takes
}

struct ToGateway {
  union {
    start :group {                 # first, once
      node @0 :NodeKey;            # incarnation 0: to join
      clusterId @1 :Data;          # empty: to join
      host @2 :Text;               # where to listen
      port @3 :UInt16;             # 0: any that is free
      directory @4 :Text;          # for key and certificate
      insecure @5 :Bool;
      token @6 :Data;              # of the head: what lets others in; else empty
      tokenLifeNs @7 :Int64;       # -1: for ever
    }
    join :group {                  # a joiner, when it listens
      joinString @8 :Text;
      request @9 :Data;            # for the head's sabird
    }
    admitted :group {              # a joiner has become a member
      incarnation @10 :UInt64;
      clusterId @11 :Data;
    }
    members @12 :List(ClusterMember);  # those that are new or have changed
    host :group {                  # become a worker, and have its calls run by the peer
      token @13 :Text;             # of the launch
      peer @14 :NodeKey;
      width @15 :UInt32;
      resources @16 :List(Session.Resource);
      scheduling @30 :Session.Scheduling;  # of calls, or of an actor, in a placement group
    }
    width :group {
      slot @17 :UInt16;
      calls @18 :UInt32;
    }
    between :group {               # to the peer's sabird
      peer @19 :NodeKey;
      bytes @20 :Data;
      control @29 :Bool;           # the peer is the head: to the control store behind it. From the head: from there
    }
    jobOver @21 :UInt32;           # has ended at this node
    joinAnswer :group {            # to a joiner
      number @22 :UInt64;
      bytes @23 :Data;
    }
    killActor :group {             # of the worker in this slot, which calls go to the peer through
      peer @27 :NodeKey;
      slot @24 :UInt16;
      slotIncarnation @28 :UInt32;
      noRestart @25 :Bool;         # its home decides what follows
      abandon @26 :Bool;           # it is hosted for this node, which has given it up: the worker leaves, too
    }
  }
}

struct FromGateway {
  union {
    listening :group {
      host @0 :Text;
      port @1 :UInt16;
      fingerprint @2 :Data;
      joinString @3 :Text;         # of the head
    }
    failed @4 :Text;               # it cannot do its work: the node ends with these words
    joined @5 :Data;               # the head's answer
    joinRequest :group {           # a node with the token wants to become a member
      number @6 :UInt64;
      bytes @7 :Data;
      fingerprint @8 :Data;        # of the certificate that it showed
      host @9 :Text;               # where its connection came from
    }
    lane :group {                  # to a member
      peer @10 :NodeKey;
      isUp @11 :Bool;
      why @12 :Text;
    }
    between :group {               # from the peer's sabird
      peer @13 :NodeKey;
      bytes @14 :Data;
      control @15 :Bool;           # at the head: to its control store; else: from the control store, by the head
    }
  }
}

interface JoinDesk {
  # What a head serves a joiner with.
  join @0 (request :Data) -> (answer :Data);
}
