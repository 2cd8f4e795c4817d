// Between the schema's structs and session_types.h. Readers may throw kj::Exception (a malformed message); callers are
// at the edge where that is caught.
#pragma once

#include <capnp/blob.h>
#include <kj/exception.h>

#include <string>
#include <vector>

#include "runtime/rpc/session_types.h"
#include "schema/session.capnp.h"

namespace sabir::rpc {

inline std::string to_string(capnp::Text::Reader text) { return {text.begin(), text.size()}; }
inline std::string to_string(capnp::Data::Reader data) {
  return {reinterpret_cast<const char*>(data.begin()), data.size()};
}
inline capnp::Text::Reader text_of(const std::string& text) { return {text.c_str(), text.size()}; }
inline capnp::Data::Reader data_of(const std::string& bytes) {
  return {reinterpret_cast<const kj::byte*>(bytes.data()), bytes.size()};
}

// A failure's kind is a number from another process: one that we do not know is kInternal.
Error error_from(schema::Failure::Reader failure);
void write(const Error& error, schema::Failure::Builder to);
// What KJ's exception means to a caller.
Error error_from(const kj::Exception& exception);

std::vector<ResourceAmount> read(capnp::List<schema::Resource>::Reader from);
JobConfig read(schema::JobConfig::Reader from);
HostedActor read(schema::HostedActor::Reader from);
Scheduling read(schema::Scheduling::Reader from);
GroupSpec read(schema::GroupSpec::Reader from);
ActorSpec read(schema::ActorSpec::Reader from);
ActorInfo read(schema::ActorInfo::Reader from);
std::vector<EntryKey> read(capnp::List<schema::EntryRef>::Reader from);
std::vector<ObjectChange> read(capnp::List<schema::ObjectChange>::Reader from);
void write_all(const std::vector<ObjectChange>& from, capnp::List<schema::ObjectChange>::Builder to);
std::vector<LogLines> read(capnp::List<schema::LogLines>::Reader from);

void write(const ResourceAmount& from, schema::Resource::Builder to);
void write(const JobConfig& from, schema::JobConfig::Builder to);
void write(const HostedActor& from, schema::HostedActor::Builder to);
void write(const Scheduling& from, schema::Scheduling::Builder to);
void write(const GroupSpec& from, schema::GroupSpec::Builder to);
void write(const ActorSpec& from, schema::ActorSpec::Builder to);
void write(const ActorInfo& from, schema::ActorInfo::Builder to);
void write(const EntryKey& from, schema::EntryRef::Builder to);
void write(const LogLines& from, schema::LogLines::Builder to);

template <typename T, typename Builder>
void write_all(const std::vector<T>& from, Builder to) {
  for (kj::uint i = 0; i < to.size(); ++i) {
    write(from[i], to[i]);
  }
}

}  // namespace sabir::rpc
