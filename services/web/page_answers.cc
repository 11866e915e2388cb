#include "web/page_answers.h"

#include <algorithm>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/string_view.h"
#include "core/base/log.h"
#include "core/store/free_slots.h"
#include "web/page_words.h"

namespace ringback::web {
namespace {

using http::NewResponse;
using http::PlainResponse;

constexpr int kSlotsShown = 12;

std::string NewOnce(Random& random) {
  char bytes[12];
  random.Fill(bytes, sizeof bytes);
  return absl::BytesToHexString(absl::string_view(bytes, sizeof bytes));
}

}  // namespace

HttpResponse HtmlResponse(int status, std::string route, absl::StatusOr<std::string> html) {
  if (!html.ok()) {
    RB_LOG_ERROR("customer page: {}", html.status().ToString());
    return PlainResponse(500, std::move(route), "internal error\n");
  }
  HttpResponse response = NewResponse(status, std::move(route));
  // Other sites learn nothing; but without any referrer browsers send "Origin: null" with the page's own forms.
  for (auto& [name, value] : response.headers) {
    if (name == "Referrer-Policy") value = "same-origin";
  }
  response.headers.emplace_back("Content-Type", "text/html; charset=utf-8");
  response.headers.emplace_back("Content-Security-Policy", PagePolicy());
  response.headers.emplace_back("Vary", "Accept-Language");
  response.body = *std::move(html);
  return response;
}

HttpResponse HtmlResponse(const CachedPage& page) { return HtmlResponse(200, "page", page.html); }

HttpResponse Refused(const HttpRequest& request, std::string route, const absl::Status& status) {
  const Language language = ChooseLanguage("", request.accept_language, "");
  if (absl::IsNotFound(status)) {
    return HtmlResponse(404, std::move(route), RenderNotice(Notice::kNotFound, language));
  }
  if (!absl::IsResourceExhausted(status)) RB_LOG_ERROR("web: {}", status.ToString());
  const bool often = absl::IsResourceExhausted(status);
  HttpResponse response = HtmlResponse(often ? 429 : 503, std::move(route), RenderNotice(Notice::kBusy, language));
  response.headers.emplace_back("Retry-After", "60");
  return response;
}

HttpResponse SeeOther(std::string route, std::string location) {
  HttpResponse response = NewResponse(303, std::move(route));
  response.headers.emplace_back("Location", std::move(location));
  return response;
}

HttpResponse ShowPage(const RouteParts& parts, const HttpRequest& request, std::string_view token,
                      const PageRecords& records, int status, PageView view) {
  const absl::Time now = parts.clock->Now();
  const PageState page = Describe(records, request.accept_language, now);
  const bool gone = (view.view == View::kTime && !page.may_move) || (view.view == View::kOff && !page.may_call_off) ||
                    (view.view == View::kWrong && !page.may_disown);
  if (gone) view.view = View::kPage;
  view.token = std::string(token);
  view.callback_id = records.callback.id();
  view.once = NewOnce(*parts.random);
  view.now = now;
  view.zone = CustomerZone(records);
  if (view.view == View::kTime) {
    auto slots = store::FreeSlotsOf(*parts.store, records.callback, records.team, now, kSlotsShown);
    if (!slots.ok()) return Refused(request, "page", slots.status());
    view.slots = *std::move(slots);
  }
  return HtmlResponse(status, "page", RenderPage(page, view));
}

}  // namespace ringback::web
