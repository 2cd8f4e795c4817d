// A C++ driver with actors in Java: tasks in C++ move money between accounts that a Java actor keeps. The handle of the
// actor is passed to the tasks like any other argument.
//
//   g++ -std=c++17 ledger.cc $(pkg-config --cflags --libs sabir) -o ledger
//   javac -d classes Ledger.java
//   SABIR_JAVA_JAR=sabir-java.jar ./ledger classes
#include <iostream>
#include <sabir/sabir.hpp>

using Ledger = sabir::ActorHandle<>;

// Sends `count` payments of a cent; returns how many were refused.
int pay(Ledger ledger, const std::string& from, const std::string& to, int count) {
  std::vector<sabir::ObjectRef<void>> sent;
  for (int i = 0; i < count; ++i) {
    sent.push_back(ledger.task<void>("transfer").remote(from, to, "0.01"));
  }
  int refused = 0;
  for (const auto& payment : sent) {
    refused += payment.try_get().ok() ? 0 : 1;
  }
  return refused;
}
SABIR_REMOTE(pay);

int main(int argc, char** argv) {
  sabir::Config config;
  config.address = "local";
  config.resources = {{"CPU", 2}};
  config.code_search_path.assign(argv + 1, argv + argc);
  config.java_options = {"-Xmx64m"};
  sabir::Session session(config);

  Ledger ledger = sabir::java_actor_class("bank.Ledger").remote();
  ledger.task<void>("deposit").remote("alice", "2.50");
  ledger.task<void>("deposit").remote("bob", "1.25");

  // Alice and Bob pay Carol at the same time; Bob runs out of money.
  auto alice = sabir::task(pay).remote(ledger, "alice", "carol", 200);
  auto bob = sabir::task(pay).remote(ledger, "bob", "carol", 200);
  std::cout << "refused: " << alice.get() << " of alice, " << bob.get() << " of bob\n";
  for (const auto& [account, amount] : ledger.task<std::map<std::string, std::string>>("balances").remote().get()) {
    std::cout << account << " has " << amount << "\n";
  }

  // What Java threw has its type and its message here.
  try {
    ledger.task<void>("transfer").remote("bob", "alice", "1000000").get();
  } catch (const sabir::TaskError& error) {
    std::cout << error.type() << "\n" << error.message() << "\n";
  }
}
