#include "core/http/status_pages.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ringback::http {
namespace {

using ::testing::HasSubstr;

class StatusPagesTest : public ::testing::Test {
 protected:
  StatusPagesTest() {
    parts_.ready = [this] { return ready_; };
    parts_.draining = [this] { return draining_; };
    parts_.metrics_text = [] { return "ringback_up 1\n"; };
  }
  HttpResponse Get(const std::string& path) { return StatusPage(parts_, "GET", path).value(); }

  absl::Status ready_;
  bool draining_ = false;
  StatusParts parts_;
};

TEST_F(StatusPagesTest, ReadinessSaysWhyNotAndHealthOnlyThatItLives) {
  EXPECT_EQ(Get("/readyz").status, 200);
  EXPECT_EQ(Get("/readyz").body, "ok\n");
  ready_ = absl::UnavailableError("the clock is 400 ms off\nthe disk is full");
  EXPECT_EQ(Get("/readyz").status, 503);
  EXPECT_EQ(Get("/readyz").body, "the clock is 400 ms off\nthe disk is full\n");
  EXPECT_EQ(Get("/healthz").status, 200) << "a store that is away is no reason to restart everybody";
  ready_ = absl::OkStatus();
  draining_ = true;
  EXPECT_EQ(Get("/readyz").status, 503);
  EXPECT_EQ(Get("/readyz").body, "draining\n");
  EXPECT_EQ(Get("/healthz").status, 200);
}

TEST_F(StatusPagesTest, MetricsAreInPrometheusFormat) {
  EXPECT_EQ(Get("/metrics").body, "ringback_up 1\n");
  EXPECT_THAT(HeaderOf(Get("/metrics"), "Content-Type"), HasSubstr("version=0.0.4"));
}

TEST_F(StatusPagesTest, NothingElseIsServedAndNothingIsWritten) {
  for (const char* path : {"", "/", "/metrics/", "/healthz/", "/readyz?x", "/Metrics"}) {
    EXPECT_FALSE(StatusPage(parts_, "GET", path).has_value()) << path;
  }
  for (const char* path : {"/metrics", "/healthz", "/readyz"}) {
    EXPECT_EQ(StatusPage(parts_, "HEAD", path)->status, 200) << path;
    EXPECT_EQ(StatusPage(parts_, "POST", path)->status, 405) << path;
    EXPECT_EQ(HeaderOf(*StatusPage(parts_, "POST", path), "Allow"), "GET, HEAD");
  }
}

}  // namespace
}  // namespace ringback::http
