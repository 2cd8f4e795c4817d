#include "runtime/rpc/node_link/secrets.h"

#include <gtest/gtest.h>

#include <set>

namespace sabir::node_link {
namespace {

TEST(TokenTest, TextIsOneFormOfTheBytes) {
  std::set<std::string> texts;
  for (int i = 0; i < 200; ++i) {
    Token token = Token::random();
    std::string text = token.text();
    EXPECT_EQ(text.size(), 43u);
    EXPECT_EQ(text.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"),
              std::string::npos);
    EXPECT_TRUE(Token::from_text(text) == token);
    EXPECT_TRUE(Token::from_bytes(token.bytes()) == token);
    texts.insert(text);
  }
  EXPECT_EQ(texts.size(), 200u);
  EXPECT_EQ(Token::from_bytes(std::string(32, '\xff'))->text(), std::string(42, '_') + "8");
}

TEST(TokenTest, WhatIsNoTokenIsNone) {
  std::string text = Token().text();
  EXPECT_TRUE(Token::from_text(text));
  EXPECT_FALSE(Token::from_text(text.substr(1)));
  EXPECT_FALSE(Token::from_text(text + "A"));
  EXPECT_FALSE(Token::from_text(text.substr(1) + "B"));  // bits behind the 256th
  EXPECT_FALSE(Token::from_text("+" + text.substr(1)));
  EXPECT_FALSE(Token::from_bytes(std::string(31, 'x')));
  EXPECT_FALSE(Token::from_bytes(std::string(33, 'x')));
}

TEST(FingerprintTest, ReadsWhatOpensslPrints) {
  std::string plain, colons;
  for (int i = 0; i < 32; ++i) {
    plain += "a1";
    colons += i == 0 ? "A1" : ":A1";
  }
  auto fingerprint = Fingerprint::from_hex(plain);
  ASSERT_TRUE(fingerprint);
  EXPECT_EQ(fingerprint->bytes[31], 0xa1);
  EXPECT_EQ(fingerprint->hex(), plain);
  EXPECT_EQ(Fingerprint::from_hex(colons), fingerprint);
  EXPECT_FALSE(Fingerprint::from_hex(plain.substr(1)));
  EXPECT_FALSE(Fingerprint::from_hex("g" + plain.substr(1)));
  colons[2] = '1';
  EXPECT_FALSE(Fingerprint::from_hex(colons));
}

TEST(TokenBookTest, ATokenIsGoodUntilItsEnd) {
  TokenBook book;
  Token forever = Token::random();
  Token brief = Token::random();
  EXPECT_TRUE(book.empty());
  book.add(forever);
  book.add(brief, 100);
  EXPECT_EQ(book.check(forever.bytes(), INT64_MAX - 1), TokenBook::Verdict::kGood);
  EXPECT_EQ(book.check(brief.bytes(), 99), TokenBook::Verdict::kGood);
  EXPECT_EQ(book.check(brief.bytes(), 100), TokenBook::Verdict::kExpired);
  EXPECT_EQ(book.check(Token::random().bytes(), 0), TokenBook::Verdict::kUnknown);
  EXPECT_EQ(book.check("", 0), TokenBook::Verdict::kUnknown);
  EXPECT_EQ(book.check(std::string(forever.bytes()) + "x", 0), TokenBook::Verdict::kUnknown);

  book.add(brief, 200);
  EXPECT_EQ(book.check(brief.bytes(), 150), TokenBook::Verdict::kGood);
  book.remove(brief);
  EXPECT_EQ(book.check(brief.bytes(), 150), TokenBook::Verdict::kUnknown);
}

}  // namespace
}  // namespace sabir::node_link
