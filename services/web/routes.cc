#include "web/routes.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "core/base/ids.h"
#include "core/base/log.h"
#include "core/domain/proto_time.h"
#include "web/byte_range.h"
#include "web/page_access.h"
#include "web/page_html.h"
#include "web/page_words.h"

namespace ringback::web {
namespace {

using http::NewResponse;
using http::PlainResponse;

struct Target {
  std::string_view path;
  std::string_view query;
};

// Also absolute form ("http://host/path"), which RFC 9112 makes every server accept.
Target Split(std::string_view target) {
  for (const std::string_view scheme : {std::string_view("http://"), std::string_view("https://")}) {
    if (!target.starts_with(scheme)) continue;
    const size_t slash = target.find('/', scheme.size());
    target = slash == std::string_view::npos ? std::string_view("/") : target.substr(slash);
    break;
  }
  const size_t mark = target.find('?');
  if (mark == std::string_view::npos) return {target, ""};
  return {target.substr(0, mark), target.substr(mark + 1)};
}

HttpResponse HtmlResponse(int status, std::string route, absl::StatusOr<std::string> html) {
  if (!html.ok()) {
    RB_LOG_ERROR("customer page: {}", html.status().ToString());
    return PlainResponse(500, std::move(route), "internal error\n");
  }
  HttpResponse response = NewResponse(status, std::move(route));
  response.headers.emplace_back("Content-Type", "text/html; charset=utf-8");
  response.headers.emplace_back("Content-Security-Policy", PagePolicy());
  response.headers.emplace_back("Vary", "Accept-Language");
  response.body = *std::move(html);
  return response;
}

// The blob's name in a form that tells nothing; renditions are never changed under one name.
std::string Etag(const std::string& blob, int64_t size) {
  return absl::StrCat("\"", Sha256Hex(absl::StrCat(blob, ":", size)).substr(0, 32), "\"");
}

}  // namespace

HttpResponse Routes::Handle(const HttpRequest& request) const {
  const Target target = Split(request.target);
  const std::string_view path = target.path;
  if (auto page = http::StatusPage(parts_.status, request.method, path)) return *std::move(page);

  std::function<HttpResponse()> answer;
  std::string route = "other";
  if (path.starts_with("/m/")) {
    const std::string_view rest = path.substr(3);
    const size_t slash = rest.find('/');
    const std::string_view token = rest.substr(0, slash);
    const std::string_view part = slash == std::string_view::npos ? "" : rest.substr(slash + 1);
    if (slash == std::string_view::npos) {
      route = "page";
      answer = [this, &request, token] { return Page(request, token); };
    } else if (part == "voice.opus" || part == "voice.mp3") {
      route = "voice";
      const bool download = target.query == "download" || target.query.starts_with("download=");
      answer = [this, &request, token, part, download] { return Voice(request, token, part.substr(6), download); };
    }
  }
  if (!answer) return Refused(request, std::move(route), absl::NotFoundError("no such page"));
  if (request.method != "GET" && request.method != "HEAD") return http::OnlyGet(std::move(route));
  return answer();
}

HttpResponse Routes::Page(const HttpRequest& request, std::string_view token) const {
  const absl::Time now = parts_.clock->Now();
  const auto records = OpenPage(*parts_.store, token, now);
  if (!records.ok()) return Refused(request, "page", records.status());
  // Listeners are nobody's business but the team's own; that a page was asked for helps whoever looks for a fault.
  if (records->recording) TraceScope::GoOnUnder(records->recording->trace_id());
  RB_LOG_DEBUG("web: page of {} opened", records->callback.id());
  const PageState page = Describe(*records, request.accept_language, now);
  return HtmlResponse(200, "page", RenderPage(page, std::string(token)));
}

HttpResponse Routes::Voice(const HttpRequest& request, std::string_view token, std::string_view extension,
                           bool download) const {
  const auto records = OpenPage(*parts_.store, token, parts_.clock->Now());
  if (!records.ok()) return Refused(request, "voice", records.status());
  const record::RecordingRecord* recording = Playable(*records);
  if (recording == nullptr) return Refused(request, "voice", absl::NotFoundError("no take"));
  const bool opus = extension == "opus";
  const std::string blob = opus ? recording->opus_blob() : recording->mp3_blob();
  const absl::StatusOr<int64_t> size = parts_.blobs->Size(blob);
  if (!size.ok()) return Refused(request, "voice", size.status());

  const std::string etag = Etag(blob, *size);
  HttpResponse response = NewResponse(200, "voice");
  response.headers.emplace_back("ETag", etag);
  response.headers.emplace_back("Accept-Ranges", "bytes");
  if (NamesEtag(request.if_none_match, etag)) {
    response.status = 304;
    return response;
  }
  ByteRange range;
  // Ranges are defined for GET alone.
  if (request.method == "GET" && RangeStillValid(request.if_range, etag)) range = ParseRange(request.range, *size);
  if (range.kind == ByteRange::Kind::kUnsatisfiable) {
    response.status = 416;
    response.headers.emplace_back("Content-Range", absl::StrCat("bytes */", *size));
    return response;
  }
  if (range.kind == ByteRange::Kind::kWhole) {
    range.size = *size;
  } else {
    response.status = 206;
    response.headers.emplace_back(
        "Content-Range", absl::StrCat("bytes ", range.offset, "-", range.offset + range.size - 1, "/", *size));
  }
  response.headers.emplace_back("Content-Type", opus ? "audio/ogg" : "audio/mpeg");
  if (download) {
    const PageState page = Describe(*records, request.accept_language, parts_.clock->Now());
    const absl::Time promised = domain::FromProto(VoicePromise(records->callback)->promised_time());
    response.headers.emplace_back(
        "Content-Disposition", Attachment(page.language, page.speaker, promised, CustomerZone(*records), extension));
  }
  response.source_size = range.size;
  response.source = [blobs = parts_.blobs, blob, start = range.offset](int64_t offset, int64_t count) {
    return blobs->GetRange(blob, start + offset, count);
  };
  return response;
}

// What a visitor may know of an error: that there is nothing, or that it is not their fault.
HttpResponse Routes::Refused(const HttpRequest& request, std::string route, const absl::Status& status) const {
  const Language language = ChooseLanguage("", request.accept_language, "");
  if (absl::IsNotFound(status)) {
    return HtmlResponse(404, std::move(route), RenderNotice(Notice::kNotFound, language));
  }
  RB_LOG_ERROR("web: {}", status.ToString());
  HttpResponse response = HtmlResponse(503, std::move(route), RenderNotice(Notice::kBusy, language));
  response.headers.emplace_back("Retry-After", "60");
  return response;
}

}  // namespace ringback::web
