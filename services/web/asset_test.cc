#include "web/asset.h"

#include <gtest/gtest.h>
#include <zlib.h>

namespace ringback::web {
namespace {

using http::HeaderOf;

constexpr char kForEver[] = "public, max-age=31536000, immutable";

std::string Unpacked(const std::string& bytes) {
  z_stream stream = {};
  EXPECT_EQ(inflateInit2(&stream, 15 + 16), Z_OK);
  std::string out(1 << 20, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(inflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(stream.total_out);
  inflateEnd(&stream);
  return out;
}

std::string LongText() {
  std::string text;
  for (int i = 0; i < 2000; ++i) text += "ring" + std::to_string(i) + " back, ";
  return text;
}

HttpResponse Answer(const Asset& asset, std::string accept_encoding, std::string if_none_match = "") {
  HttpRequest request;
  request.method = "GET";
  request.accept_encoding = std::move(accept_encoding);
  request.if_none_match = std::move(if_none_match);
  return asset.Answer(request, "script", kForEver);
}

TEST(AssetTest, WhoTakesGzipGetsTheSameTextInFewerBytes) {
  const Asset asset("text/javascript", LongText());
  const HttpResponse plain = Answer(asset, ""), small = Answer(asset, "br, gzip;q=0.8, deflate");
  EXPECT_EQ(plain.body, LongText());
  EXPECT_EQ(HeaderOf(plain, "Content-Encoding"), "");
  EXPECT_EQ(HeaderOf(small, "Content-Encoding"), "gzip");
  EXPECT_LT(small.body.size(), plain.body.size() / 3);
  EXPECT_EQ(Unpacked(small.body), LongText());
  for (const HttpResponse& response : {plain, small}) {
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(HeaderOf(response, "Vary"), "Accept-Encoding");
    EXPECT_EQ(HeaderOf(response, "Content-Type"), "text/javascript");
    EXPECT_EQ(HeaderOf(response, "Cache-Control"), kForEver);
  }
}

TEST(AssetTest, EachFormIsKnownAgainByItsOwnTagAlone) {
  const Asset asset("text/javascript", LongText());
  const std::string plain = HeaderOf(Answer(asset, ""), "ETag"), small = HeaderOf(Answer(asset, "gzip"), "ETag");
  EXPECT_NE(plain, small);
  const HttpResponse same = Answer(asset, "gzip", small);
  EXPECT_EQ(same.status, 304);
  EXPECT_EQ(same.body, "");
  EXPECT_EQ(HeaderOf(same, "ETag"), small);
  EXPECT_EQ(HeaderOf(same, "Vary"), "Accept-Encoding");
  EXPECT_EQ(Answer(asset, "", plain).status, 304);
  EXPECT_EQ(Answer(asset, "gzip", plain).status, 200);
  EXPECT_EQ(Answer(asset, "", small).status, 200);
}

TEST(AssetTest, WhatWouldNotBecomeSmallerStaysAsItIs) {
  const Asset asset("text/css", "a{}");
  const HttpResponse response = Answer(asset, "gzip");
  EXPECT_EQ(response.body, "a{}");
  EXPECT_EQ(HeaderOf(response, "Content-Encoding"), "");
  EXPECT_EQ(HeaderOf(response, "Vary"), "");
}

TEST(AssetTest, AcceptEncodingMeansWhatRfc9110Says) {
  for (const char* yes : {"gzip", "GZIP", "x-gzip", "deflate, gzip", "br;q=1.0, gzip;q=0.001", "*", "identity, *;q=0.5", "gzip ; q=1"}) {
    EXPECT_TRUE(TakesGzip(yes)) << yes;
  }
  for (const char* no : {"", "identity", "br", "gzip;q=0", "gzip;q=0.000, *", "*;q=0", "gzip;q=", "gzipped"}) EXPECT_FALSE(TakesGzip(no)) << no;
}

}  // namespace
}  // namespace ringback::web
