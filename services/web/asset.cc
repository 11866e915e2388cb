#include "web/asset.h"

#include <zlib.h>

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "core/base/check.h"
#include "core/base/ids.h"
#include "web/byte_range.h"

namespace ringback::web {
namespace {

constexpr int kGzip = 15 + 16;  // zlib: the largest window, in gzip's own frame
constexpr int kMostMemory = 9;

std::string Compressed(const std::string& text) {
  z_stream stream = {};
  RB_CHECK(deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, kGzip, kMostMemory, Z_DEFAULT_STRATEGY) == Z_OK);
  std::string out(deflateBound(&stream, text.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  RB_CHECK(deflate(&stream, Z_FINISH) == Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

std::string Etag(const std::string& bytes) { return absl::StrCat("\"", Sha256Hex(bytes).substr(0, 32), "\""); }

// ";q=0" and its like; "gzip" alone weighs 1. What cannot be read allows nothing.
bool Allowed(absl::string_view parameters) {
  for (absl::string_view parameter : absl::StrSplit(parameters, ';', absl::SkipWhitespace())) {
    parameter = absl::StripAsciiWhitespace(parameter);
    double weight = 0;
    if (absl::ConsumePrefix(&parameter, "q=") || absl::ConsumePrefix(&parameter, "Q=")) {
      return absl::SimpleAtod(parameter, &weight) && weight > 0;
    }
  }
  return true;
}

}  // namespace

Asset::Asset(std::string content_type, std::string text) : content_type_(std::move(content_type)) {
  plain_ = {std::move(text), ""};
  plain_.etag = Etag(plain_.bytes);
  std::string smaller = Compressed(plain_.bytes);
  if (smaller.size() >= plain_.bytes.size()) return;
  gzip_ = {std::move(smaller), ""};
  gzip_.etag = Etag(gzip_.bytes);
}

HttpResponse Asset::Answer(const HttpRequest& request, std::string route, std::string caching) const {
  const bool gzip = !gzip_.bytes.empty() && TakesGzip(request.accept_encoding);
  const Form& form = gzip ? gzip_ : plain_;
  const bool known = NamesEtag(request.if_none_match, form.etag);
  HttpResponse response = http::NewResponse(known ? 304 : 200, std::move(route));
  for (auto& [name, value] : response.headers) {
    if (name == "Cache-Control") value = std::move(caching);
  }
  response.headers.emplace_back("ETag", form.etag);
  if (!gzip_.bytes.empty()) response.headers.emplace_back("Vary", "Accept-Encoding");
  if (known) return response;
  response.headers.emplace_back("Content-Type", content_type_);
  if (gzip) response.headers.emplace_back("Content-Encoding", "gzip");
  response.body = form.bytes;
  return response;
}

bool TakesGzip(std::string_view accept_encoding) {
  bool any = false;
  for (absl::string_view one : absl::StrSplit(absl::string_view(accept_encoding.data(), accept_encoding.size()), ',')) {
    const size_t end = one.find(';');
    const absl::string_view coding = absl::StripAsciiWhitespace(one.substr(0, end));
    const bool allowed = Allowed(end == absl::string_view::npos ? "" : one.substr(end));
    if (absl::EqualsIgnoreCase(coding, "gzip") || absl::EqualsIgnoreCase(coding, "x-gzip")) return allowed;
    if (coding == "*") any = allowed;
  }
  return any;
}

}  // namespace ringback::web
