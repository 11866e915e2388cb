#include "core/http/http_message.h"

namespace ringback::http {

HttpResponse NewResponse(int status, std::string route) {
  HttpResponse response;
  response.status = status;
  response.route = std::move(route);
  response.headers = {
      {"Cache-Control", "private, no-store"},
      {"Referrer-Policy", "no-referrer"},
      {"X-Content-Type-Options", "nosniff"},
      {"X-Robots-Tag", "noindex, nofollow"},
      {"Cross-Origin-Resource-Policy", "same-origin"},
  };
  return response;
}

HttpResponse PlainResponse(int status, std::string route, std::string text) {
  HttpResponse response = NewResponse(status, std::move(route));
  response.headers.emplace_back("Content-Type", "text/plain; charset=utf-8");
  response.body = std::move(text);
  return response;
}

std::string HeaderOf(const HttpResponse& response, const std::string& name) {
  for (const auto& [key, value] : response.headers) {
    if (key == name) return value;
  }
  return "";
}

}  // namespace ringback::http
