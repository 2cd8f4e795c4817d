#include "runtime/control/testing/fault_vfs.h"

#include <sqlite3.h>

#include <algorithm>

#include "runtime/base/check.h"

namespace sabir::control::testing {
namespace {

// Ours, and behind it in the same memory the system's file.
struct FaultFile {
  sqlite3_file base;
  sqlite3_file* real() { return reinterpret_cast<sqlite3_file*>(this + 1); }
};

sqlite3_file* real(sqlite3_file* file) { return reinterpret_cast<FaultFile*>(file)->real(); }
const sqlite3_io_methods* methods(sqlite3_file* file) { return real(file)->pMethods; }

int close_file(sqlite3_file* file) { return methods(file)->xClose(real(file)); }

int read_file(sqlite3_file* file, void* bytes, int size, sqlite3_int64 offset) {
  if (FaultDisk::get().fails(FaultDisk::Fault::kBadRead)) {
    return SQLITE_IOERR_READ;
  }
  return methods(file)->xRead(real(file), bytes, size, offset);
}

int write_file(sqlite3_file* file, const void* bytes, int size, sqlite3_int64 offset) {
  if (FaultDisk::get().fails(FaultDisk::Fault::kFull)) {
    // The last block that fits.
    (void)methods(file)->xWrite(real(file), bytes, size / 2, offset);
    return SQLITE_FULL;
  }
  if (FaultDisk::get().fails(FaultDisk::Fault::kBadWrite)) {
    return SQLITE_IOERR_WRITE;
  }
  return methods(file)->xWrite(real(file), bytes, size, offset);
}

int sync_file(sqlite3_file* file, int flags) {
  if (FaultDisk::get().fails(FaultDisk::Fault::kBadSync)) {
    return SQLITE_IOERR_FSYNC;
  }
  return methods(file)->xSync(real(file), flags);
}

int truncate_file(sqlite3_file* file, sqlite3_int64 size) { return methods(file)->xTruncate(real(file), size); }
int file_size(sqlite3_file* file, sqlite3_int64* size) { return methods(file)->xFileSize(real(file), size); }
int lock_file(sqlite3_file* file, int level) { return methods(file)->xLock(real(file), level); }
int unlock_file(sqlite3_file* file, int level) { return methods(file)->xUnlock(real(file), level); }
int check_lock(sqlite3_file* file, int* held) { return methods(file)->xCheckReservedLock(real(file), held); }
int control_file(sqlite3_file* file, int code, void* value) {
  return methods(file)->xFileControl(real(file), code, value);
}
int sector_size(sqlite3_file* file) { return methods(file)->xSectorSize(real(file)); }
int characteristics(sqlite3_file* file) { return methods(file)->xDeviceCharacteristics(real(file)); }
int map_shared(sqlite3_file* file, int page, int size, int extend, void volatile** address) {
  return methods(file)->xShmMap(real(file), page, size, extend, address);
}
int lock_shared(sqlite3_file* file, int offset, int count, int flags) {
  return methods(file)->xShmLock(real(file), offset, count, flags);
}
void barrier_shared(sqlite3_file* file) { methods(file)->xShmBarrier(real(file)); }
int unmap_shared(sqlite3_file* file, int remove) { return methods(file)->xShmUnmap(real(file), remove); }

constexpr sqlite3_io_methods kMethods = {
    2,           close_file,     read_file,    write_file,   truncate_file, sync_file,       file_size,
    lock_file,   unlock_file,    check_lock,   control_file, sector_size,   characteristics, map_shared,
    lock_shared, barrier_shared, unmap_shared, nullptr,      nullptr,
};

sqlite3_vfs* system_vfs = nullptr;

int open_file(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* flags_out) {
  int code = system_vfs->xOpen(system_vfs, name, real(file), flags, flags_out);
  // Without methods SQLite does not close it.
  file->pMethods = real(file)->pMethods == nullptr ? nullptr : &kMethods;
  return code;
}

}  // namespace

FaultDisk& FaultDisk::get() {
  static FaultDisk* disk = [] {
    system_vfs = sqlite3_vfs_find(nullptr);
    static sqlite3_vfs vfs = *system_vfs;
    vfs.zName = kName;
    vfs.szOsFile = system_vfs->szOsFile + static_cast<int>(sizeof(FaultFile));
    vfs.xOpen = open_file;
    SABIR_CHECK(sqlite3_vfs_register(&vfs, 0) == SQLITE_OK);
    return new FaultDisk();
  }();
  return *disk;
}

bool FaultDisk::fails(Fault kind) {
  if (fault_.load() != kind) {
    return false;
  }
  uint32_t left = left_.load();
  while (left > 0) {
    if (left_.compare_exchange_weak(left, left - 1)) {
      return false;
    }
  }
  met_.fetch_add(1);
  return true;
}

}  // namespace sabir::control::testing
