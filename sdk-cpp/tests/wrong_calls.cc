// Programs that must not compile, and what the compiler says: compile_fail_test.py takes each case with -DCASE=n.
#include "sabir/sabir.hpp"

struct Unknown {
  int x;
};
struct Robot {
  void walk() {}
};
struct Bird {
  void fly() {}
};
int plus(int a, int b) { return a + b; }
bool negate(bool flag) { return !flag; }
void fill(std::vector<int>& numbers) { numbers.push_back(1); }
void look(const int* number) { (void)number; }
void take(Unknown) {}
std::unique_ptr<Robot> make_robot() { return nullptr; }

void calls() {
  sabir::ObjectRef<std::string> text;
  sabir::ActorHandle<Robot> robot;
#if CASE == 0
  // What compiles.
  sabir::task(plus).remote(1, 2L);
  sabir::task(plus).remote(sabir::ObjectRef<short>(), 'c');
  robot.task(&Robot::walk).remote();
#elif CASE == 1
  sabir::task(plus).remote(1, "two");  // argument does not fit
#elif CASE == 2
  sabir::task(plus).remote(1);  // another number of arguments
#elif CASE == 3
  sabir::task(plus).remote(text, 2);  // reference does not fit
#elif CASE == 4
  sabir::task(plus).remote(1, 2.5);  // argument does not fit
#elif CASE == 5
  sabir::task(negate).remote("yes");  // argument does not fit
#elif CASE == 6
  robot.task(&Bird::fly).remote();  // method of another class
#elif CASE == 7
  sabir::task(make_robot).remote();  // factory of actors
#elif CASE == 8
  sabir::actor(plus).remote(1, 2);  // returns an actor
#elif CASE == 9
  sabir::put(Unknown{1});  // cannot travel
#elif CASE == 10
  sabir::put(text);  // reference already
#elif CASE == 11
  sabir::ObjectRef<std::string_view>().get();  // would point nowhere
#endif
}
#if CASE == 12
SABIR_REMOTE(fill);  // reference to non-const
#elif CASE == 13
SABIR_REMOTE(look);                    // cannot take pointers
#elif CASE == 14
SABIR_REMOTE(take);             // cannot travel
#endif
