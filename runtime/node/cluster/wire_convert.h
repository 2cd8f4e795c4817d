// Parts of schema/cluster.capnp that several messages have. For cluster_wire.cc: readers may throw kj::Exception (a
// malformed message), which is caught there.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "runtime/base/result.h"
#include "runtime/node/cluster/cluster_wire.h"
#include "schema/cluster.capnp.h"

namespace sabir::cluster {

// At most `max` elements; their number is looked at before any of them is.
template <typename T, typename List, typename Read>
Result<std::vector<T>> read_list(List from, size_t max, const char* what, Read read) {
  if (from.size() > max) {
    return invalid_error(std::string("a cluster message with too many ") + what);
  }
  std::vector<T> list;
  list.reserve(from.size());
  for (auto element : from) {
    SABIR_ASSIGN_OR_RETURN(T one, read(element));
    list.push_back(std::move(one));
  }
  return list;
}

template <typename T, typename Builder, typename Write>
void write_list(const std::vector<T>& from, Builder to, Write write) {
  for (kj::uint i = 0; i < to.size(); ++i) {
    write(from[i], to[i]);
  }
}

template <typename T>
kj::uint count(const std::vector<T>& list) {
  return static_cast<kj::uint>(list.size());
}

// kInvalid: above `max_bytes`.
Result<std::string> read_text(capnp::Text::Reader from, size_t max_bytes, const char* what);

// kInvalid: not 16 bytes, or nil.
template <typename Id>
Result<Id> read_id(capnp::Data::Reader from) {
  std::optional<IdBits> bits = IdBits::from_bytes({from.asChars().begin(), from.size()});
  if (!bits) {
    return invalid_error("a cluster message with an id that is none");
  }
  if (Id(*bits).is_nil()) {
    return invalid_error("a cluster message with an empty id");
  }
  return Id(*bits);
}

template <typename Id>
capnp::Data::Reader id_data(const Id& id) {
  return {id.bits().bytes.data(), IdBits::kSizeBytes};
}

Result<NodeKey> read_key(schema::NodeKey::Reader from);
void write_key(const NodeKey& from, schema::NodeKey::Builder to);

Result<std::vector<MemberInfo>> read_members(capnp::List<schema::ClusterMember>::Reader from);
void write_members(const std::vector<MemberInfo>& from, capnp::List<schema::ClusterMember>::Builder to);

Result<Amounts> read_amounts(capnp::List<schema::Resource>::Reader from);
void write_amounts(const Amounts& from, capnp::List<schema::Resource>::Builder to);

Result<NodeReport> read_report(schema::NodeReport::Reader from);
void write_report(const NodeReport& from, schema::NodeReport::Builder to);

Result<ViewBatch> read_batch(schema::ViewBatch::Reader from);
void write_batch(const ViewBatch& from, schema::ViewBatch::Builder to);

}  // namespace sabir::cluster
