#include "runtime/rpc/node_link/bulk_frame.h"

#include <gtest/gtest.h>

#include <vector>

namespace sabir::node_link {
namespace {

BulkHeader data() {
  return {.type = BulkType::kData,
          .has_checksum = true,
          .size_bytes = 1000,
          .transfer_id = 7,
          .offset = 5000,
          .checksum = 0x0123456789abcdef,
          .total_bytes = 1ull << 40};
}

TEST(BulkFrameTest, HeadersGoAndComeAgain) {
  BulkHeader last = data();
  last.last = true;
  last.total_bytes = 6000;
  std::vector<BulkHeader> headers = {
      data(),
      last,
      {.type = BulkType::kData, .last = true, .transfer_id = 1},
      {.type = BulkType::kCredit, .transfer_id = 8, .offset = 1ull << 63},
      {.type = BulkType::kCredit, .first = true, .transfer_id = 8},
      {.type = BulkType::kFail, .code = static_cast<uint16_t>(ErrorKind::kObjectLost), .transfer_id = ~0ull},
      {.type = BulkType::kCancel, .transfer_id = 9},
  };
  for (const BulkHeader& header : headers) {
    auto again = decode_bulk_header(encode_bulk_header(header));
    ASSERT_TRUE(again.ok()) << again.error().message();
    EXPECT_EQ(*again, header);
  }
}

TEST(BulkFrameTest, TheLayoutIsTheProtocols) {
  BulkHeader header = data();
  header.last = true;
  header.offset = 0x0807060504030201;
  header.total_bytes = header.offset + header.size_bytes;
  BulkHeaderBytes bytes = encode_bulk_header(header);
  EXPECT_EQ(bytes[0], 1);
  EXPECT_EQ(bytes[1], 3);
  EXPECT_EQ(bytes[4], 1000 & 0xff);
  EXPECT_EQ(bytes[5], 1000 >> 8);
  EXPECT_EQ(bytes[8], 7);
  for (uint8_t i = 0; i < 8; ++i) {
    EXPECT_EQ(bytes[16 + i], i + 1);
  }
  EXPECT_EQ(bytes[24], 0xef);
}

TEST(BulkFrameTest, WhatContradictsItselfIsInvalid) {
  std::vector<BulkHeader> wrong;
  auto add = [&wrong](BulkHeader header, auto change) {
    change(header);
    wrong.push_back(header);
  };
  add(data(), [](BulkHeader& h) { h.size_bytes = kMaxBulkPayloadBytes + 1; });
  add(data(), [](BulkHeader& h) { h.last = true; });
  add(data(), [](BulkHeader& h) { h.total_bytes = 6000; });
  add(data(), [](BulkHeader& h) { h.total_bytes = 5999; });
  add(data(), [](BulkHeader& h) { h.total_bytes = 4999; });
  add(data(), [](BulkHeader& h) { h.offset = ~0ull; });
  add(data(), [](BulkHeader& h) { h.size_bytes = 0; });
  add(data(), [](BulkHeader& h) { h.has_checksum = false; });
  add(data(), [](BulkHeader& h) { h.first = true; });
  add(data(), [](BulkHeader& h) { h.code = 1; });
  for (BulkType type : {BulkType::kCredit, BulkType::kFail, BulkType::kCancel}) {
    BulkHeader plain{.type = type, .code = static_cast<uint16_t>(type == BulkType::kFail ? 1 : 0), .transfer_id = 1};
    ASSERT_TRUE(decode_bulk_header(encode_bulk_header(plain)).ok());
    add(plain, [](BulkHeader& h) { h.size_bytes = 1; });
    add(plain, [](BulkHeader& h) { h.total_bytes = 1; });
    add(plain, [](BulkHeader& h) { h.last = true; });
    add(plain, [](BulkHeader& h) { h.checksum = 1; });
    add(plain, [](BulkHeader& h) { h.code = h.type == BulkType::kFail ? 0 : 1; });
    add(plain, [](BulkHeader& h) { h.code = 200; });
    if (type != BulkType::kCredit) {
      add(plain, [](BulkHeader& h) { h.offset = 1; });
      add(plain, [](BulkHeader& h) { h.first = true; });
    }
  }
  for (const BulkHeader& header : wrong) {
    auto decoded = decode_bulk_header(encode_bulk_header(header));
    ASSERT_FALSE(decoded.ok()) << &header - wrong.data();
    EXPECT_EQ(decoded.error().kind(), ErrorKind::kInvalid);
  }
  BulkHeaderBytes bytes = encode_bulk_header(data());
  for (uint8_t type : {0, 5, 255}) {
    bytes[0] = type;
    EXPECT_FALSE(decode_bulk_header(bytes).ok());
  }
  bytes[0] = 1;
  bytes[1] = 8;
  EXPECT_FALSE(decode_bulk_header(bytes).ok());
}

}  // namespace
}  // namespace sabir::node_link
