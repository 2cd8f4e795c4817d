// C++ code for the tests: a shared library with functions and an actor.
#include <algorithm>
#include <cstdio>
#include <fstream>
#include <map>
#include <sabir/sabir.hpp>
#include <stdexcept>
#include <string>
#include <tuple>
#include <vector>

namespace engine {

int64_t add(int64_t a, int64_t b) { return a + b; }
sabir::Value echo(const sabir::Value& value) { return value; }
double total(sabir::Tensor<double> numbers) {
  double sum = 0;
  for (uint64_t i = 0; i < numbers.size(); ++i) {
    sum += numbers.data()[i];
  }
  return sum;
}

// Out of its struct form and into it again.
sabir::Table through_structs(const sabir::Table& table) {
  ArrowArrayStream stream{};
  table.to(&stream);
  return sabir::Table::from(&stream);
}
// The first buffer with numbers of the first column of the first batch.
struct Column {
  explicit Column(const sabir::Table& table) {
    ArrowArrayStream stream{};
    table.to(&stream);
    stream.get_next(&stream, &batch);
    stream.release(&stream);
  }
  ~Column() { batch.release(&batch); }
  const int64_t* data() const { return static_cast<const int64_t*>(batch.children[0]->buffers[1]); }
  ArrowArray batch{};
};
int64_t sum_of_column(const sabir::Table& table) {
  Column column(table);
  int64_t sum = 0;
  for (int64_t i = 0; i < column.batch.length; ++i) {
    sum += column.data()[i];
  }
  return sum;
}
// The mapping in which it lies.
std::string where(const sabir::Table& table) {
  Column column(table);
  auto address = reinterpret_cast<uintptr_t>(column.data());
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    unsigned long begin = 0;
    unsigned long end = 0;
    if (std::sscanf(line.c_str(), "%lx-%lx", &begin, &end) == 2 && address >= begin && address < end) {
      return line.substr(std::min(line.find('/'), line.size()));
    }
  }
  return "";
}
std::vector<sabir::Table> in_a_list(const sabir::Table& table) { return {table}; }

std::tuple<int64_t, int64_t> divide(int64_t a, int64_t b) { return {a / b, a % b}; }
int64_t fail(const std::string& text) { throw std::out_of_range(text); }
void die() { std::abort(); }

struct Point {
  double x;
  double y;
};
double norm(const Point& point) { return point.x * point.x + point.y * point.y; }

// Calls back into Python, whose error passes through.
int64_t through_python(const std::string& text) {
  return sabir::py_function<int64_t>("functions", "fail").remote(text).get();
}

class Counter {
 public:
  static Counter create(int64_t start) { return Counter{start}; }
  int64_t add(int64_t amount) { return value += amount; }
  int64_t fail() const { throw std::logic_error("the counter is at " + std::to_string(value)); }

  int64_t value;
};

}  // namespace engine

SABIR_STRUCT(engine::Point, x, y);

SABIR_REMOTE_AS("add", engine::add);
SABIR_REMOTE_AS("echo", engine::echo);
SABIR_REMOTE_AS("total", engine::total);
SABIR_REMOTE_AS("through_structs", engine::through_structs);
SABIR_REMOTE_AS("sum_of_column", engine::sum_of_column);
SABIR_REMOTE_AS("where", engine::where);
SABIR_REMOTE_AS("in_a_list", engine::in_a_list);
SABIR_REMOTE_AS("divide", engine::divide);
SABIR_REMOTE_AS("fail", engine::fail);
SABIR_REMOTE_AS("die", engine::die);
SABIR_REMOTE_AS("norm", engine::norm);
SABIR_REMOTE_AS("through_python", engine::through_python);
SABIR_REMOTE_AS("Counter", engine::Counter::create);
SABIR_REMOTE_AS("Counter::add", &engine::Counter::add);
SABIR_REMOTE_AS("Counter::fail", &engine::Counter::fail);
