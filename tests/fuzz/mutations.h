// Mutations: inputs that are almost right, from a seed and a corpus of right ones.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace sabir::fuzz {

class Mutations {
 public:
  // `word_offset`: where in an input words of 8 bytes begin.
  Mutations(uint32_t seed, std::vector<std::string> corpus, size_t word_offset = 4)
      : random_(seed), corpus_(std::move(corpus)), word_offset_(word_offset) {}

  std::string next() {
    if (pick(8) == 0) {
      return noise(pick(600));
    }
    std::string input = corpus_[pick(corpus_.size())];
    for (size_t i = 0, changes = 1 + pick(6); i < changes && !input.empty(); ++i) {
      change(input);
    }
    return input;
  }

 private:
  size_t pick(size_t bound) { return bound == 0 ? 0 : random_() % bound; }

  std::string noise(size_t size_bytes) {
    std::string bytes(size_bytes, '\0');
    for (char& byte : bytes) {
      byte = static_cast<char>(random_());
    }
    return bytes;
  }

  void change(std::string& input) {
    size_t at = pick(input.size());
    switch (pick(6)) {
      case 0:
        input[at] = static_cast<char>(input[at] ^ (1 << pick(8)));
        break;
      case 1:
        input[at] = static_cast<char>(random_());
        break;
      case 2:
        input.resize(at);
        break;
      case 3:
        input.append(noise(8 * (1 + pick(4))));
        break;
      case 4: {
        uint64_t words[] = {0xffffffffffffffff, 0x00000000ffffffff, 0xfffffffd00000001, random_(), 2, 0};
        size_t word = at / 8 * 8 + word_offset_;
        if (word + 8 <= input.size()) {
          memcpy(input.data() + word, &words[pick(6)], 8);
        }
        break;
      }
      case 5: {
        const std::string& other = corpus_[pick(corpus_.size())];
        input = input.substr(0, at) + other.substr(pick(other.size()));
        break;
      }
    }
  }

  std::mt19937 random_;
  std::vector<std::string> corpus_;
  size_t word_offset_;
};

}  // namespace sabir::fuzz
