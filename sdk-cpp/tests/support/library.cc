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

}  // namespace geo

SABIR_REMOTE(geo::scale, geo::scale_twice, geo::throwing);
SABIR_REMOTE(geo::make_tank, &geo::Tank::fill);
