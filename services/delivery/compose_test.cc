// What a delivery says, from records to the words that a person reads.
#include "delivery/compose.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/rpc/translate.h"

namespace ringback::delivery {
namespace {

namespace record = ::ringback::store::v1;

TEST(Compose, AnswersGoToTheAddressThatTheMailComesFrom) {
  record::CallbackRecord callback;
  EXPECT_EQ(ReplyAddress("sales@example.com", callback), "sales@example.com");
  callback.set_page_token("pg07abc");
  EXPECT_EQ(ReplyAddress("sales@example.com", callback), "sales+pg07abc@example.com");
}

}  // namespace
}  // namespace ringback::delivery
