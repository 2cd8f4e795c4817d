#include "runtime/shm/segment.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstring>
#include <string>

namespace sabir::shm {
namespace {

// The first two words of `node` and `calls`. By the time it is called, the size is checked and sealed.
Result<void> check_header(const char* name, uint64_t magic, uint64_t layout_hash, uint64_t expected_magic) {
  if (magic != expected_magic) {
    return invalid_error(std::string("segment ") + name + " has no header of ours");
  }
  if (layout_hash != kLayoutHash) {
    return unsupported_error(std::string("segment ") + name +
                             " was laid out by another version of Sabir: load the libsabir.so that "
                             "the session names");
  }
  return {};
}

}  // namespace

Result<NodeView> NodeView::map(int fd) {
  SABIR_RETURN_IF_ERROR(check_memfd(fd, "node", sizeof(NodeSegment), true));
  SABIR_ASSIGN_OR_RETURN(Mapping mapping, map_file(fd, sizeof(NodeSegment), PROT_READ));
  NodeView view(std::move(mapping));
  SABIR_RETURN_IF_ERROR(check_header("node", view.header().magic, view.header().layout_hash, kNodeMagic));
  return view;
}

Result<CallsView> CallsView::map(int fd) {
  SABIR_RETURN_IF_ERROR(check_memfd(fd, "calls", sizeof(CallsSegment), false));
  SABIR_ASSIGN_OR_RETURN(Mapping mapping, map_file(fd, sizeof(CallsSegment), PROT_READ | PROT_WRITE));
  CallsView view(std::move(mapping));
  SABIR_RETURN_IF_ERROR(check_header("calls", view.header().magic, view.header().layout_hash, kCallsMagic));
  return view;
}

Result<SessionSegments> SessionSegments::create(const SegmentOptions& options) {
  uint64_t objects_bytes = std::max(options.objects_bytes, options.store_bytes);
  objects_bytes = (objects_bytes + kHugePageBytes - 1) & ~(kHugePageBytes - 1);
  SABIR_ASSIGN_OR_RETURN(UniqueFd node_fd, create_memfd("sabir-node", sizeof(NodeSegment)));
  SABIR_ASSIGN_OR_RETURN(UniqueFd calls_fd, create_memfd("sabir-calls", sizeof(CallsSegment)));
  SABIR_ASSIGN_OR_RETURN(UniqueFd objects_fd, create_memfd("sabir-objects", objects_bytes));

  // A new memfd reads as zeros, which is the initial state of every word but those set below.
  SABIR_ASSIGN_OR_RETURN(Mapping node_mapping, map_file(node_fd.get(), sizeof(NodeSegment), PROT_READ | PROT_WRITE));
  SABIR_ASSIGN_OR_RETURN(Mapping calls_mapping, map_file(calls_fd.get(), sizeof(CallsSegment), PROT_READ | PROT_WRITE));
  NodeWriter node(std::move(node_mapping));
  CallsView calls(std::move(calls_mapping));

  NodeHeader& header = node.header();
  header.layout_hash = kLayoutHash;
  std::memcpy(header.session_id, options.session_id.bytes.data(), sizeof(header.session_id));
  header.store_bytes = options.store_bytes;
  header.sabird_pid = options.sabird_pid;
  header.cpu_count = options.cpu_count;
  header.spin_allowance.store(options.spin_allowance, std::memory_order_relaxed);
  header.magic = kNodeMagic;
  calls.header().layout_hash = kLayoutHash;
  calls.header().magic = kCallsMagic;

  SABIR_RETURN_IF_ERROR(seal_memfd(node_fd.get(), true));
  SABIR_RETURN_IF_ERROR(seal_memfd(calls_fd.get(), false));
  SABIR_RETURN_IF_ERROR(seal_memfd(objects_fd.get(), false));
  return SessionSegments{std::move(node),     std::move(calls),      std::move(node_fd),
                         std::move(calls_fd), std::move(objects_fd), objects_bytes};
}

}  // namespace sabir::shm
