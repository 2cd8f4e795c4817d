// S13: the scheduler, with bundles of placement groups as accounts of their own (resources.h).
#include <gtest/gtest.h>

#include "runtime/node/cluster/node_ledger.h"
#include "runtime/node/scheduler.h"

namespace sabir::node {
namespace {

using cluster::GroupId;
using cluster::Placement;

class BundlesTest : public testing::Test {
 protected:
  BundlesTest() {
    scheduler_.add_job(1);
    scheduler_.set_bundles([this](const Placement& placement) { return ledger_.open_bundles(placement); });
    for (shm::SlotIndex slot = 1; slot <= 4; ++slot) {
      scheduler_.add_worker(slot, 1, 1, 0);
    }
  }

  ResourceSet set(std::vector<ResourceRequest> request) { return *scheduler_.resources().resolve(request); }
  std::vector<AccountId> reserve(std::vector<double> cpus) {
    std::vector<std::pair<uint32_t, ResourceSet>> bundles;
    for (size_t i = 0; i < cpus.size(); ++i) {
      bundles.emplace_back(static_cast<uint32_t>(i), set({{"CPU", static_cast<Units>(cpus[i] * kUnit)}}));
    }
    std::vector<AccountId> accounts = *ledger_.reserve(group_, bundles);
    for (AccountId account : accounts) {
      ledger_.open(account);
    }
    return accounts;
  }
  // With a queue of the same number.
  shm::ClassIndex declare(shm::QueueIndex queue, int32_t bundle, double cpus = 1) {
    ClassPlace place;
    place.strategy.placement = {.group = group_, .bundle = bundle};
    std::vector<ResourceRequest> request{{"CPU", static_cast<Units>(cpus * kUnit)}};
    shm::ClassIndex index = scheduler_.declare_class(1, 1, request, place)->class_index;
    scheduler_.allow(index, UINT64_MAX);
    scheduler_.open_queue(queue, index, 9);
    return index;
  }
  std::vector<GrantLease> tick() {
    out_.clear();
    scheduler_.tick();
    scheduler_.check_invariants();
    std::vector<GrantLease> granted;
    for (const Instruction& instruction : out_) {
      if (const auto* lease = std::get_if<GrantLease>(&instruction)) {
        granted.push_back(*lease);
        scheduler_.observe_worker(lease->slot, {.running = true});
      }
    }
    return granted;
  }
  Units free_cpus() { return scheduler_.resources().free(kCpu) / kUnit; }

  ManualClock clock_;
  Instructions out_;
  Scheduler scheduler_{*NodeResources::create({{"CPU", 4 * kUnit}, {"GPU", 2 * kUnit}}), {}, &clock_, &out_};
  cluster::NodeLedger ledger_{&scheduler_.resources()};
  const GroupId group_{IdBits{.bytes = {7}}};
};

TEST_F(BundlesTest, S13_ABundleGivesWhatItHasAndTheNodeKeepsTheRest) {
  reserve({2});
  EXPECT_EQ(free_cpus(), 2);
  declare(0, 0);
  scheduler_.observe_queue(0, 10);
  EXPECT_EQ(tick().size(), 2u) << "not four";
  EXPECT_EQ(free_cpus(), 2);
  shm::ClassIndex plain = scheduler_.declare_class(1, 1, {{"CPU", kUnit}})->class_index;
  scheduler_.open_queue(1, plain, 9);
  scheduler_.observe_queue(1, 10);
  clock_.advance_ns(kSecondNs);
  EXPECT_EQ(tick().size(), 2u) << "of the node's own, beside the bundle";
  EXPECT_EQ(free_cpus(), 0);
}

TEST_F(BundlesTest, S13_AnyBundleIsTheFullestThatFits) {
  std::vector<AccountId> accounts = reserve({1, 2});
  declare(0, Placement::kAnyBundle);
  scheduler_.observe_queue(0, 10);
  EXPECT_EQ(tick().size(), 3u);
  EXPECT_EQ(scheduler_.users(accounts[0]).workers.size(), 1u);
  EXPECT_EQ(scheduler_.users(accounts[1]).workers.size(), 2u);
}

TEST_F(BundlesTest, S13_WithoutAnOpenBundleItWaits) {
  declare(0, 3);
  scheduler_.observe_queue(0, 1);
  EXPECT_TRUE(tick().empty());
  EXPECT_TRUE(scheduler_.busy());
  scheduler_.place_actor(5, 1, set({}), false, {.group = group_});
  EXPECT_TRUE(tick().empty());
  std::vector<AccountId> accounts = reserve({1, 1, 1, 1});
  EXPECT_EQ(tick().size(), 1u);
  EXPECT_EQ(scheduler_.users(accounts[3]).workers.size(), 1u);
  size_t actors = 0;
  for (AccountId account : accounts) {
    actors += scheduler_.users(account).actors.size();
  }
  EXPECT_EQ(actors, 1u) << "one that needs nothing is in a bundle, too";
}

TEST_F(BundlesTest, S13_ACpuThatIsLentIsTheBundles) {
  reserve({1});
  declare(0, 0);
  scheduler_.observe_queue(0, 1);
  std::vector<GrantLease> first = tick();
  ASSERT_EQ(first.size(), 1u);
  scheduler_.observe_queue(0, 2);
  clock_.advance_ns(kSecondNs);
  EXPECT_TRUE(tick().empty());
  scheduler_.observe_worker(first[0].slot, {.blocked = 1, .running = true});
  EXPECT_EQ(free_cpus(), 3) << "not the node's";
  std::vector<GrantLease> second = tick();
  ASSERT_EQ(second.size(), 1u);
  // It resumes: the debt is the bundle's, from which nothing is given until a lease is back (S1).
  scheduler_.observe_worker(first[0].slot, {.blocked = 2, .running = true});
  scheduler_.observe_queue(0, 5);
  EXPECT_TRUE(tick().empty());
  EXPECT_EQ(free_cpus(), 3);
}

TEST_F(BundlesTest, S13_OfAClosedBundleNothingIsGivenAndItsUsersAreKnown) {
  std::vector<AccountId> accounts = reserve({2});
  declare(0, 0);
  scheduler_.observe_queue(0, 1);
  std::vector<GrantLease> granted = tick();
  ASSERT_EQ(granted.size(), 1u);
  EXPECT_FALSE(ledger_.close(accounts[0]));
  scheduler_.observe_queue(0, 5);
  clock_.advance_ns(kSecondNs);
  EXPECT_TRUE(tick().empty());
  ASSERT_EQ(scheduler_.users(accounts[0]).workers.size(), 1u);
  EXPECT_TRUE(scheduler_.users(accounts[0]).workers[0].running);
  EXPECT_EQ(free_cpus(), 2);
  scheduler_.remove_worker(granted[0].slot);
  EXPECT_EQ(free_cpus(), 4);
  EXPECT_EQ(ledger_.bundle_count(), 0u);
}

TEST_F(BundlesTest, MakingRoomTakesFromLeasesThatRunNothing) {
  shm::ClassIndex plain = scheduler_.declare_class(1, 1, {{"CPU", kUnit}})->class_index;
  scheduler_.open_queue(1, plain, 9);
  scheduler_.observe_queue(1, 3);
  std::vector<GrantLease> granted = tick();
  ASSERT_EQ(granted.size(), 3u);
  scheduler_.observe_queue(1, 0);
  EXPECT_TRUE(scheduler_.make_room(set({{"CPU", kUnit}}))) << "it is free";
  EXPECT_TRUE(scheduler_.make_room(set({{"CPU", 4 * kUnit}}))) << "all three run: no use waiting";
  for (const GrantLease& lease : granted) {
    scheduler_.observe_worker(lease.slot, {});
  }
  EXPECT_FALSE(scheduler_.make_room(set({{"CPU", 3 * kUnit}})));
  uint32_t withdrawn = 0;
  for (const GrantLease& lease : granted) {
    if (scheduler_.lease(lease.slot).withdrawn) {
      withdrawn += 1;
      scheduler_.observe_worker(lease.slot, {.lease_epoch_done = lease.epoch});
    }
  }
  EXPECT_EQ(withdrawn, 2u) << "no more than it takes";
  EXPECT_TRUE(scheduler_.make_room(set({{"CPU", 3 * kUnit}})));
}

TEST(AccountsTest, GpusOfAnAccountAreTheNodesIndices) {
  NodeResources resources = *NodeResources::create({{"GPU", 3 * kUnit}});
  ResourceSet one = *resources.resolve({{"GPU", kUnit}});
  Allocation first = resources.take(one);
  AccountId account = resources.open_account(resources.take(*resources.resolve({{"GPU", 2 * kUnit}})));
  ResourceSet own = *resources.translate(one, account);
  Allocation a = resources.take(own, account);
  Allocation b = resources.take(own, account);
  EXPECT_EQ(first.gpu_mask | a.gpu_mask | b.gpu_mask, 7u);
  EXPECT_FALSE(resources.fits(own));
  EXPECT_FALSE(resources.translate(*resources.resolve({{"GPU", 3 * kUnit}}), account)) << "it could never be";
  EXPECT_EQ(resources.reserved(kGpu), 2 * kUnit);
  EXPECT_FALSE(resources.close_account(account));
  EXPECT_FALSE(resources.translate(one, account));
  resources.give_back(a);
  EXPECT_TRUE(resources.take_closed_accounts().empty());
  resources.give_back(b);
  EXPECT_EQ(resources.take_closed_accounts(), std::vector<AccountId>{account});
  EXPECT_EQ(resources.free(kGpu), 2 * kUnit);
}

}  // namespace
}  // namespace sabir::node
