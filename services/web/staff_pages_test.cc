#include "web/staff_pages.h"

#include <gtest/gtest.h>

#include "web/page_html.h"

namespace ringback::web {
namespace {

using http::HeaderOf;

HttpRequest Asked(std::string method, std::string target, std::string accept_encoding = "") {
  HttpRequest request;
  request.method = std::move(method);
  request.target = std::move(target);
  request.accept_encoding = std::move(accept_encoding);
  return request;
}

TEST(StaffPagesTest, TheWorkerIsLookedForAnewAndCostsLittleWhereItIsKnown) {
  const StaffPages pages(nullptr);
  const HttpResponse plain = *pages.Handle(Asked("GET", "/sw.js"));
  EXPECT_EQ(plain.body, CompiledTemplates().at("sw.js"));
  EXPECT_EQ(HeaderOf(plain, "Cache-Control"), "no-cache");
  const HttpResponse small = *pages.Handle(Asked("GET", "/sw.js", "gzip, deflate, br"));
  EXPECT_EQ(HeaderOf(small, "Content-Encoding"), "gzip");
  EXPECT_LT(small.body.size(), plain.body.size() / 2);
  HttpRequest again = Asked("GET", "/sw.js", "gzip, deflate, br");
  again.if_none_match = HeaderOf(small, "ETag");
  EXPECT_EQ(pages.Handle(again)->status, 304);
}

TEST(StaffPagesTest, FilesHaveOnlyTheNamesOfTheirContents) {
  const StaffPages pages(nullptr);
  EXPECT_EQ(pages.Handle(Asked("GET", "/app/staff.js"))->status, 404);
  EXPECT_EQ(pages.Handle(Asked("POST", "/sw.js"))->status, 405);
  EXPECT_FALSE(pages.Handle(Asked("GET", "/elsewhere")).has_value());
}

}  // namespace
}  // namespace ringback::web
