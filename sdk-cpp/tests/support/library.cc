// A library of remote functions, for workers that load it from the code path.
#include <stdexcept>

#include "sabir/sabir.hpp"

namespace geo {

double scale(double number, double factor) { return number * factor; }
// A library calls, too: it has the client of the process that loaded it.
double scale_twice(double number) {
  auto once = sabir::task(scale).remote(number, 2);
  return sabir::task(scale).remote(once, 2).get();
}

int throwing() { throw std::out_of_range("out of the library"); }

class Tank {
 public:
  explicit Tank(double litres) : litres_(litres) {}
  double fill(double litres) { return litres_ += litres; }

 private:
  double litres_;
};
std::shared_ptr<Tank> make_tank(double litres) { return std::make_shared<Tank>(litres); }

// For callers in other languages.
sabir::Value echo(const sabir::Value& value) { return value; }
int add_by_name(sabir::ActorHandle<> actor, int amount) { return actor.task<int>("add").remote(amount).get(); }
double sum(sabir::Tensor<double> numbers) {
  double sum = 0;
  for (double number : numbers) {
    sum += number;
  }
  return sum;
}

}  // namespace geo

SABIR_REMOTE(geo::scale, geo::scale_twice, geo::throwing);
SABIR_REMOTE(geo::make_tank, &geo::Tank::fill);
SABIR_REMOTE(geo::echo, geo::add_by_name, geo::sum);
