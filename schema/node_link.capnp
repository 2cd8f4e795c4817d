@0xb1d4a8e57c3f9026;
# Links between the nodes of a cluster: one TCP port per node, TLS on it.
#
# Vocabulary. A *node* is one sabird, known by a node id (16 bytes) and an *incarnation* (64 bits): who was declared
# dead and comes back has the same id and a higher incarnation. The *dialer* of a connection opened it, the *acceptor*
# listens. A *lane* is one of the two kinds of connection that a pair of nodes may have: `calls` (RPC) and `bulk`
# (the bytes of objects). A *joiner* is a node that is not a member yet; it has a token.
#
# Who is who. Each node has a self-signed certificate, made at its first start. Names, dates and signatures in it mean
# nothing: a node is its certificate's fingerprint (SHA-256 of the DER form) and proves that it has the key. TLS 1.3
# only; both sides show their certificates; no resumption, so each connection proves both keys. The dialer knows the
# acceptor's fingerprint beforehand (from the join string, or from the control store) and ends the handshake, before it
# has said a word, if another comes. The acceptor takes any certificate and decides by the hello: a joiner is let in
# by its token, anybody else if the certificate is the one that the control store has for that node id.
#
# Without TLS (`insecure`, to be asked for explicitly) everything is the same, in plain TCP, and nobody is proved to be
# anybody. A plain client on a TLS port is told so by a `Welcome` in plain text (`needsTls`); a TLS client on a plain
# port gets TLS's alert 120. What is neither is closed.
#
# Order on the wire. (1) TLS. (2) The dialer sends one frame: 4 bytes little-endian length, then a Cap'n Proto message
# with a `NodeHello` in the standard stream framing. (3) The acceptor answers with one frame with a `NodeWelcome`. If
# its `refusal` is set, the acceptor closes. (4) From then on a `calls` connection speaks Cap'n Proto two-party RPC;
# the bootstrap capability of both sides is a `NodePeer`. A `bulk` connection carries frames as below.
#
# Limits before the login is through. Frames have at most 4 KiB; TLS and hello together have a few seconds; the number
# of connections in that state is bounded, the oldest goes first. Addresses whose logins fail have few further tries
# per second. Failures cost one line of log per address and minute.
#
# Fences. A connection belongs to the two incarnations that were said in hello and welcome, for all of its life; so
# does every message in it. The dialer says which incarnation it means to reach, and an acceptor that is another one
# refuses (`wrongNode`). A node that learns that (id, incarnation) is dead ends its connections and refuses hellos of
# that incarnation and lower ones (`fenced`).
#
# Two dial each other at once. Each lane of a pair has one connection. If a hello comes from a node that is being
# dialed on the same lane, the dial of the node with the lower id counts: the one with the lower id refuses the other's
# (`crossed`), the one with the higher id gives its own up. A hello on a lane that is up replaces the old connection:
# its dialer has none any more.
#
# Calls. Limits of a message are those of session.capnp (64 MiB, 512 segments, 64 levels, 16 capabilities), checked
# before Cap'n Proto sees a byte. Calls in progress are bounded in number and bytes. Large things go by bulk. Each side
# asks `ping` when it has heard nothing for a while, and gives the connection up when nothing comes for longer: so a
# half-open connection is found, and a stopped process. Every message that comes counts as a sign of life, and so does
# the progress of a message that is being written.
#
# Bulk. A *transfer* is one run of bytes from a source at one node to a destination at the other, both known to the two
# nodes beforehand (by a call); its id was chosen by the receiving side and is not used again in the connection. Frames
# have a header of 40 bytes, little-endian, and for `data` the payload behind it:
#
#   offset  size
#        0     1  type: 1 data, 2 credit, 3 fail, 4 cancel
#        1     1  flags: 1 last (data: the transfer ends with this frame), 2 checksum (data: the field is valid),
#                 4 first (credit: the transfer's first)
#        2     2  code (fail: the status of session.capnp's Failure); else 0
#        4     4  size of the payload; at most 1 MiB, and 0 unless the type is data
#        8     8  transfer id
#       16     8  data: offset of the payload in the transfer; credit: see below; else 0
#       24     8  data: XXH3 (64 bits) of the payload if the flag says so; else 0
#       32     8  total size of the transfer (data); else 0
#
# `credit` (receiver to sender): the sender may send up to this offset of the transfer. It only grows. The first credit
# is what starts a transfer, and may come before the sender knows of it. `data` comes in the order of offsets without
# gaps, never beyond the credit; data of several transfers takes turns by the frame. `fail` (sender to receiver): no more
# of this transfer comes. `cancel` (receiver to sender): no more is wanted; the sender answers `fail`, unless the last
# data is under way already, and until one of the two has come the receiver drops what comes of the transfer. Credits
# that are not the first, and cancels, are ignored of a transfer that is over; everything else that breaks the rules
# ends the connection.
#
# Versions. As in session.capnp: each side says which it speaks, the acceptor chooses the highest of both; if there is
# none, the refusal (`version`) names both releases. Fields are only added, numbers never reused.

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("sabir::schema");

const nodeProtocolVersion :UInt32 = 1;

enum Lane { calls @0; bulk @1; }

struct NodeHello {
  magic @0 :UInt64;              # 0x53616269720a1a01
  minVersion @1 :UInt32;
  maxVersion @2 :UInt32;
  release @3 :Text;              # for messages
  nodeId @4 :Data;               # 16 bytes
  incarnation @5 :UInt64;        # 0: a joiner, which has none yet
  clusterId @6 :Data;            # 16 bytes; empty: a joiner, which does not know it yet
  lane @7 :Lane;
  token @8 :Data;                # 32 bytes of a joiner; else empty
  expectedNodeId @9 :Data;       # 16 bytes; empty: a joiner, which knows only the certificate
  expectedIncarnation @10 :UInt64;  # 0: any
}

struct NodeWelcome {
  refusal @0 :UInt16;            # 0: welcome; else as Refusal of runtime/rpc/node_link/refusal.h
  message @1 :Text;              # why it refuses
  version @2 :UInt32;
  release @3 :Text;
  nodeId @4 :Data;
  incarnation @5 :UInt64;
  clusterId @6 :Data;
}

interface NodePeer {
  # The bootstrap capability of both sides of a `calls` connection.
  ping @0 () -> ();
  service @1 () -> (service :Capability);
  # What this node serves its peer with; a capability.
}
