#include "sdk-python/native/moment.h"

#include <datetime.h>

namespace sabir::python {
namespace {

constexpr int64_t kSecondNs = 1'000'000'000;
constexpr int64_t kDayS = 86'400;

bool import_datetime() {
  if (PyDateTimeAPI == nullptr) {
    PyDateTime_IMPORT;
  }
  return PyDateTimeAPI != nullptr;
}

constexpr int64_t floor_divide(int64_t number, int64_t by) { return number / by - (number % by < 0 ? 1 : 0); }

// What its clock shows, in seconds since that clock's 1970.
int64_t wall_seconds(PyObject* value) {
  int64_t month = PyDateTime_GET_MONTH(value);
  // Days of the proleptic Gregorian calendar, with years that begin in March.
  int64_t year = PyDateTime_GET_YEAR(value) - (month > 2 ? 0 : 1);
  int64_t day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + PyDateTime_GET_DAY(value) - 1;
  int64_t days = year * 365 + year / 4 - year / 100 + year / 400 + day_of_year - 719'468;
  return days * kDayS + PyDateTime_DATE_GET_HOUR(value) * 3600 + PyDateTime_DATE_GET_MINUTE(value) * 60 +
         PyDateTime_DATE_GET_SECOND(value);
}

// Whole seconds, and without a name of its own, which would be lost. kDone sets *offset_s.
Encoded fixed_offset(PyObject* value, int32_t* offset_s) {
  Owned zone(PyObject_GetAttrString(value, "tzinfo"));
  if (!zone) {
    return Encoded::kError;
  }
  if (Py_TYPE(zone.get()) != Py_TYPE(PyDateTimeAPI->TimeZone_UTC)) {
    return Encoded::kUnsuitable;
  }
  Owned offset(PyObject_CallMethod(value, "utcoffset", nullptr));
  Owned arguments(PyObject_CallMethod(zone.get(), "__getinitargs__", nullptr));
  if (!offset || !arguments) {
    return Encoded::kError;
  }
  if (PyTuple_GET_SIZE(arguments.get()) != 1 || PyDateTime_DELTA_GET_MICROSECONDS(offset.get()) != 0) {
    return Encoded::kUnsuitable;
  }
  *offset_s = static_cast<int32_t>(PyDateTime_DELTA_GET_DAYS(offset.get()) * kDayS +
                                   PyDateTime_DELTA_GET_SECONDS(offset.get()));
  return Encoded::kDone;
}

}  // namespace

Encoded read_moment(PyObject* value, int64_t* unix_ns, int32_t* offset_s) {
  if (!import_datetime()) {
    return Encoded::kError;
  }
  if (Py_TYPE(value) != PyDateTimeAPI->DateTimeType) {
    return Encoded::kUnsuitable;
  }
  if (Encoded result = fixed_offset(value, offset_s); result != Encoded::kDone) {
    return result;
  }
  int64_t unix_s = wall_seconds(value) - *offset_s;
  if (unix_s < INT64_MIN / kSecondNs + 1 || unix_s > INT64_MAX / kSecondNs - 1) {
    return Encoded::kUnsuitable;
  }
  *unix_ns = unix_s * kSecondNs + PyDateTime_DATE_GET_MICROSECOND(value) * int64_t{1000};
  return Encoded::kDone;
}

PyObject* make_moment(int64_t unix_ns, int32_t offset_s) {
  if (!import_datetime()) {
    return nullptr;
  }
  if (offset_s <= -kDayS || offset_s >= kDayS) {
    return PyErr_Format(PyExc_ValueError, "malformed timestamp: an offset of %d seconds", offset_s);
  }
  int64_t unix_us = floor_divide(unix_ns, 1000);
  int64_t unix_s = floor_divide(unix_us, 1'000'000);
  auto rest_us = static_cast<int>(unix_us - unix_s * 1'000'000);
  int64_t wall_s = unix_s + offset_s;
  int64_t days = floor_divide(wall_s, kDayS);
  Owned offset(PyDelta_FromDSU(0, offset_s, 0));
  Owned zone(offset ? PyTimeZone_FromOffset(offset.get()) : nullptr);  // of 0: timezone.utc itself
  Owned epoch(
      zone ? PyDateTimeAPI->DateTime_FromDateAndTime(1970, 1, 1, 0, 0, 0, 0, zone.get(), PyDateTimeAPI->DateTimeType)
           : nullptr);
  Owned since(epoch ? PyDelta_FromDSU(static_cast<int>(days), static_cast<int>(wall_s - days * kDayS), rest_us)
                    : nullptr);
  return since ? PyNumber_Add(epoch.get(), since.get()) : nullptr;
}

}  // namespace sabir::python
