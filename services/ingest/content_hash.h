// SHA-256 of bytes that come in parts. By OpenSSL, which uses the processor's instructions for it: of a large upload's CPU the
// hash would else be a fifth.
#pragma once

#include <memory>
#include <string>
#include <string_view>

struct evp_md_ctx_st;

namespace ringback::ingest {

// Used by one thread at a time.
class ContentHash {
 public:
  ContentHash();
  ~ContentHash();
  void Add(std::string_view bytes);
  // 64 lower-case hexadecimal digits, of everything added; once.
  std::string Hex();

 private:
  struct Free {
    void operator()(evp_md_ctx_st* context) const;
  };
  const std::unique_ptr<evp_md_ctx_st, Free> context_;
};

}  // namespace ringback::ingest
