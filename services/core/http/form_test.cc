#include "core/http/form.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"

namespace ringback::http {
namespace {

constexpr char kType[] = "application/x-www-form-urlencoded";

TEST(FormTest, FieldsAreDecodedAsBrowsersEncodeThem) {
  const auto form = Form::Parse(kType, "text=Es+geht+um%0D%0AP%C3%BCmpe%2b1%26%3D&empty=&bare&&%6eame=x=y");
  ASSERT_TRUE(form.ok()) << form.status();
  EXPECT_EQ(form->Get("text"), "Es geht um\r\nPümpe+1&=");
  EXPECT_EQ(form->Get("name"), "x=y");
  EXPECT_TRUE(form->Has("empty"));
  EXPECT_TRUE(form->Has("bare"));
  EXPECT_EQ(form->Get("bare"), "");
  EXPECT_FALSE(form->Has("other"));
  EXPECT_EQ(form->Get("other"), "");
}

TEST(FormTest, TheContentTypeMayCarryParametersAndAnyCase) {
  EXPECT_TRUE(Form::Parse("Application/X-WWW-Form-Urlencoded; charset=UTF-8", "a=b").ok());
  EXPECT_TRUE(Form::Parse("", "").ok()) << "a button without fields";
  for (const char* other : {"", "text/plain", "application/json", "multipart/form-data; boundary=x",
                            "application/x-www-form-urlencodedx"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(Form::Parse(other, "a=b").status())) << other;
  }
}

TEST(FormTest, WhatIsBrokenIsRefusedWithoutRepeatingIt) {
  for (const std::string body : {"a=secret%", "a=secret%4", "a=secret%4g", "a=secret%g4", "%=secret", "a=secret%FF",
                                 "a=secret%ED%A0%80", "a=secret%00", "a=secret&a=other", "a%C3=secret"}) {
    const auto form = Form::Parse(kType, body);
    EXPECT_TRUE(absl::IsInvalidArgument(form.status())) << body;
    EXPECT_EQ(form.status().message().find("secret"), std::string::npos);
  }
}

TEST(FormTest, LimitsHoldForTheDecodedContent) {
  const FormLimits limits{2, 3, 4};
  EXPECT_TRUE(Form::Parse(kType, "abc=%41%41%41%41&b=", limits).ok());
  EXPECT_FALSE(Form::Parse(kType, "a=12345", limits).ok());
  EXPECT_FALSE(Form::Parse(kType, "abcd=1", limits).ok());
  EXPECT_FALSE(Form::Parse(kType, "a=1&b=2&c=3", limits).ok());
}

}  // namespace
}  // namespace ringback::http
