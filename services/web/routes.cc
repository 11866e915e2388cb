#include "web/routes.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "core/base/ids.h"
#include "core/base/log.h"
#include "core/domain/proto_time.h"
#include "core/words/calendar_uid.h"
#include "web/asset.h"
#include "web/byte_range.h"
#include "web/page_access.h"
#include "web/page_actions.h"
#include "web/page_words.h"
#include "web/promise_ics.h"

namespace ringback::web {
namespace {

using http::NewResponse;

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

bool IsRead(const HttpRequest& request) { return request.method == "GET" || request.method == "HEAD"; }

// Of what stands behind the token; nullopt when no page stands there.
std::optional<View> ViewOf(std::string_view part) {
  if (part.empty()) return View::kPage;
  if (part == "time") return View::kTime;
  if (part == "off") return View::kOff;
  if (part == "wrong") return View::kWrong;
  return std::nullopt;
}

// What a page is kept under: which of its languages it is in follows from the team and from what the header makes of either.
std::string NameOf(std::string_view token, const std::string& accept_language) {
  return absl::StrCat(std::string(token), " ", LanguageTag(ChooseLanguage("", accept_language, "de")),
                      LanguageTag(ChooseLanguage("", accept_language, "en")));
}

HttpResponse Script(const HttpRequest& request) {
  static const auto& script = *new Asset("text/javascript; charset=utf-8", ScriptText());
  // Its name is its content's: it never changes and tells nothing.
  return script.Answer(request, "script", "public, max-age=31536000, immutable");
}

// The blob's name in a form that tells nothing; renditions are never changed under one name.
std::string Etag(const std::string& blob, int64_t size) {
  return absl::StrCat("\"", Sha256Hex(absl::StrCat(blob, ":", size)).substr(0, 32), "\"");
}

}  // namespace

HttpResponse Routes::Handle(const HttpRequest& request) const {
  const Target target = Split(request.target);
  if (auto page = http::StatusPage(parts_.status, request.method, target.path)) return *std::move(page);
  const absl::Status nothing = absl::NotFoundError("no such page");
  if (!target.path.starts_with("/m/")) return Refused(request, "other", nothing);

  const std::string_view rest = target.path.substr(3);
  const size_t slash = rest.find('/');
  const std::string_view token = rest.substr(0, slash);
  const std::string_view part = slash == std::string_view::npos ? "" : rest.substr(slash + 1);
  const bool page = slash == std::string_view::npos || (!part.empty() && ViewOf(part).has_value());
  const bool voice = part == "voice.opus" || part == "voice.mp3";
  const bool calendar = part == "promise.ics";
  const bool form = PageActions::Takes(part);
  if (token == "ui" && part == ScriptName()) {
    return IsRead(request) ? Script(request) : http::OnlyGet("script");
  }
  if (!page && !voice && !calendar && !form) return Refused(request, "other", nothing);
  if (request.method == "POST" && form) return actions_.Post(request, token, part);
  if (!IsRead(request)) {
    HttpResponse refused = http::OnlyGet(voice ? "voice" : calendar ? "calendar" : "page");
    for (auto& [name, value] : refused.headers) {
      if (form && name == "Allow") value = "GET, HEAD, POST";
    }
    return refused;
  }
  if (voice) return Voice(request, token, part.substr(6), target.query == "download" || target.query.starts_with("download="));
  if (calendar) return Calendar(request, token);
  return Page(request, token, part, target.query);
}

HttpResponse Routes::Page(const HttpRequest& request, std::string_view token, std::string_view part,
                          std::string_view query) const {
  const absl::Time now = parts_.clock->Now();
  // The plain page alone is looked at again and again.
  const bool plain = part.empty() && query.empty() && parts_.cache != nullptr;
  const std::string name = plain ? NameOf(token, request.accept_language) : "";
  if (plain) {
    const auto kept = parts_.cache->Find(*parts_.store, name, now);
    if (!kept.ok()) return Refused(request, "page", kept.status());
    if (*kept != nullptr) return HtmlResponse(**kept);
  }
  std::vector<store::Record> sources;
  const auto records = OpenPage(*parts_.store, token, now, &sources);
  if (!records.ok()) return Refused(request, "page", records.status());
  const std::optional<View> view = ViewOf(part);
  // A form's own address, opened or loaded again: the page has what it is about.
  if (!view.has_value()) return SeeOther("page", absl::StrCat("../", std::string(token)));
  // Listeners are nobody's business but the team's own; that a page was asked for helps whoever looks for a fault.
  if (records->recording) TraceScope::GoOnUnder(records->recording->trace_id());
  RB_LOG_DEBUG("web: page of {} opened", records->callback.id());
  PageView shown;
  shown.view = *view;
  shown.below = !part.empty();
  shown.told = DoneOf(query, *records);
  HttpResponse response = ShowPage(parts_, request, token, *records, 200, std::move(shown));
  if (plain && response.status == 200) {
    CachedPage kept{.until = StaysUntil(*records, now), .html = response.body};
    for (const store::Record& source : sources) {
      kept.keys.push_back(source.key);
      kept.versions.push_back(source.version);
    }
    parts_.cache->Keep(name, std::move(kept));
  }
  return response;
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

HttpResponse Routes::Calendar(const HttpRequest& request, std::string_view token) const {
  const absl::Time now = parts_.clock->Now();
  const auto records = OpenPage(*parts_.store, token, now);
  if (!records.ok()) return Refused(request, "calendar", records.status());
  const PageState page = Describe(*records, request.accept_language, now);
  if (!page.has_calendar) return Refused(request, "calendar", absl::NotFoundError("no promise"));

  const bool german = page.language == Language::kGerman;
  PromiseEntry entry;
  entry.uid = words::CalendarUid(records->callback.id(), parts_.mail_domain);
  entry.sequence = std::max(0, records->callback.calendar_entries() - 1);
  entry.start = domain::FromProto(ValidPromise(records->callback)->promised_time());
  entry.now = now;
  const std::string who = page.who.empty() ? page.company : absl::StrCat(page.who, ", ", page.company);
  entry.summary = absl::StrCat(german ? "Rückruf: " : "Call from ", who);
  if (!page.phone.empty()) {
    entry.description = absl::StrCat(german ? "Sie erreichen uns auch unter " : "You can also reach us at ", page.phone);
  }
  const auto ics = PromiseIcs(entry);
  if (!ics.ok()) return Refused(request, "calendar", ics.status());
  HttpResponse response = NewResponse(200, "calendar");
  response.headers.emplace_back("Content-Type", "text/calendar; charset=utf-8");
  response.headers.emplace_back("Content-Disposition",
                                absl::StrCat("attachment; filename=\"", german ? "Rueckruf.ics" : "call.ics", "\""));
  response.body = *ics;
  return response;
}

}  // namespace ringback::web
