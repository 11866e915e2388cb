#include "web/hooks/sipgate_key.h"

#include <gtest/gtest.h>

#include "absl/strings/str_replace.h"
#include "core/domain/input.h"
#include "web/hooks/sipgate.h"
#include "web/hooks/sipgate_signer.h"

namespace ringback::web {
namespace {

// The key that sipgate publishes, and the signed request of its own library's tests (sipgate-io/sipgateio-node, MIT).
constexpr char kSipgatesKey[] =
    "-----BEGIN PUBLIC KEY-----\n"
    "MIICIjANBgkqhkiG9w0BAQEFAAOCAg8AMIICCgKCAgEAvFdlnqRfO5TmqzjtsFVC\n"
    "qPz+oW+poi3lXQFvMJJMEAtlU4MbX+yuIkgnC+Qt3AQWIK+oWSEQiybg+p39wEMl\n"
    "16PZxEzf9gONQvTg1XhyHnwqYUFQj/AoxPKGYC3jmdjZ224SrESiTN3CdxoOc3vk\n"
    "cXiQstYE7SxnksPtzfk0aIOkicim5/tAP9izNQ18/zmX3ChjK2k72gf5dDlq+qZ8\n"
    "pRiHAPZ64TySH6cLQDhaoh6Nbq8FEG3usXXPClbUMh2DZaTMPafpd+LNuTngJ/y+\n"
    "KoZasVuFfXAeBqGA6l5d4Uedfr99Z6qjwDrJ8sU4z2Do9bJrbuqP+mOXEebhSI1K\n"
    "vi8trEfrIt8hnDBGsBaB9NEO3kYxvDT2/PhC9fNYFocjEpZNd7/mUqTJDYlpa4UC\n"
    "NDQaU+ATdXG8/P5sGAegks6MQTu+qe9XTO0CV48eswDkz6g3UbLOwmrJK59SjD3J\n"
    "yAZ52sluwyDKRWw/PPTt8BTQLjvkdbiLUlc4ehJ4b1X7D7diYWHDPeFL47cAvaXh\n"
    "dXVrZDeBJYibvD1jRx4ES0KlfhwzNXBYUoM/Movg9zMM2PzyHHKS//xIjwUC/FJ6\n"
    "/6eykno0Hy2B1ev6s3hdY6VkN2zd7Wf+EK4DxRliwsg1U99szFE3ewLfexF+Uag5\n"
    "M+TfPtOUumI/NHMTvsRW9+ECAwEAAQ==\n"
    "-----END PUBLIC KEY-----\n";
constexpr char kSigned[] =
    "callId=&direction=in&event=newCall&from=4912354678&fullUserId%5B%5D%5B0%5D=123456789&originalCallId=&to=49999999"
    "&user%5B%5D%5B0%5D=TestUser&userId%5B%5D%5B0%5D=123456789&xcid=";
constexpr char kSignature[] =
    "hlY7r9Vad0NP/7xJxf+vcDqjWaGWHOcIrj+rcP5aqQQcHtbSLsElp2kRNRPBL5unWbq6bExVPZB49HHM+Y/fWSVL19q7KSJhYPHfikcME0r0mC"
    "YB4S/VnJwnIvpiqz6s7Dpnk3wDCy65B3WQLwBVWA9oh6ojNM/g+87YnoMTKRx1KoFqosKNfBp1c1I8XjXusGOW/VlGnMb6wHhUVdwi9K7FfUgx"
    "j2pnV+M1Xv9rYs6RAi4V1OcUPqdT5geHsxWa09sk+AEHSUm1EFnAvx7PhIkugpNwST7yPKHf0+iyei4qUQCBZtfQVOI4mLZTRfQuyVo3YuJfvH"
    "aNPYY34/1ZCZGCKeu+HS6WHs1vGUyKxSi8v4JJqog2VOlWruf8pMGg+syuAFwuxiCnWsSXgaaUfe9JrBAFjBxUmNP9DzR1bbkwxkJnthacu7jA"
    "LXjGsubjSSSl955QgenV/ZpODHgWDPg0fe6qGILtk+kXLjyfSsoR/qgzE5W5OAyZq8W64h01KAt9Q283N7/2nogy6keiIWL3qjPolWnrchSP7i"
    "JUatM2YiTcpkNKnJ70UE05cdw3swuNe7zqD51MdOX3rAioEOFgOIFMSrxMVX+V4XK7sa5o43smN8lHoa+0AogQMuIrC7k2axdRbulSSNfyqVAZ"
    "IT4qS0cItiv3aPXsdDKkkA0=";

TEST(SipgateKeyTest, KnowsWhatSipgateHasSigned) {
  const auto key = SipgateKey::FromPem(kSipgatesKey);
  ASSERT_TRUE(key.ok()) << key.status();
  EXPECT_TRUE(key->HasSigned(kSigned, kSignature));
  EXPECT_FALSE(key->HasSigned(absl::StrReplaceAll(kSigned, {{"4912354678", "4912354679"}}), kSignature));
  EXPECT_FALSE(key->HasSigned("", kSignature));
  for (const char* signature : {"", "fakeSignature", "AAAA", "%"}) EXPECT_FALSE(key->HasSigned(kSigned, signature)) << signature;
}

TEST(SipgateKeyTest, IsReadFromTheFileAsSipgatePublishesItWhateverItsLinesSay) {
  const auto key = SipgateKey::FromPem(absl::StrReplaceAll(kSipgatesKey, {{"PUBLIC KEY", "CERTIFICATE"}}));
  ASSERT_TRUE(key.ok()) << key.status();
  EXPECT_TRUE(key->HasSigned(kSigned, kSignature));
}

TEST(SipgateKeyTest, OnlyTheOwnersSignatureIsGood) {
  const SipgateSigner owner, other;
  const auto key = SipgateKey::FromPem(owner.PublicPem());
  ASSERT_TRUE(key.ok()) << key.status();
  EXPECT_TRUE(key->HasSigned("event=hangup", owner.Sign("event=hangup")));
  EXPECT_FALSE(key->HasSigned("event=hangup", other.Sign("event=hangup")));
}

TEST(SipgateKeyTest, WhatIsNoPublicRsaKeyIsRefused) {
  for (const char* pem : {"", "nothing", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
                          // P-256
                          "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEaxfR8uEsQkf4vOblY6RA8ncDfYEt\n"
                          "6zOg9KE5RdiYwpZP40Li/hp/m47n60p8D54WK84zV2sxXs7LtkBoN79R9Q==\n-----END PUBLIC KEY-----\n"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(SipgateKey::FromPem(pem).status())) << pem;
  }
  const auto missing = SipgateKey::Read("/nowhere/sipgate.pub");
  EXPECT_EQ(missing.status().message(), "web.sipgate_key_file: cannot read /nowhere/sipgate.pub: No such file or directory");
  EXPECT_EQ(SipgateKey::Read("/").status().message(), "web.sipgate_key_file: cannot read /: Is a directory");
  EXPECT_EQ(SipgateKey::Read("/dev/null").status().message(),
            "web.sipgate_key_file: /dev/null holds no public RSA key in PEM (-----BEGIN PUBLIC KEY-----)");
}

class SignedSipgateTest : public testing::Test {
 protected:
  std::string ReasonOf(const std::string& body, const std::string& signature) {
    http::HttpRequest http;
    http.content_type = "application/x-www-form-urlencoded";
    http.body = body;
    http.sipgate_signature = signature;
    const auto event = ReadSipgate(HookRequest{http, "", "", "", true, &key_});
    if (event.ok()) return "";
    EXPECT_TRUE(absl::IsPermissionDenied(event.status())) << event.status();
    return domain::DetailOf(event.status()).reason;
  }
  const SipgateSigner sipgate_;
  const SipgateKey key_ = SipgateKey::FromPem(sipgate_.PublicPem()).value();
};

TEST_F(SignedSipgateTest, WithTheKeyOnlySignedEventsAreRead) {
  const std::string body = "event=hangup&cause=busy&callId=123456&from=492111234567&to=4915791234567&direction=in";
  EXPECT_EQ(ReasonOf(body, sipgate_.Sign(body)), "");
  EXPECT_EQ(ReasonOf(body, ""), "NOT_SIGNED") << "also where Twilio's may come unsigned";
  EXPECT_EQ(ReasonOf(body + "&x=1", sipgate_.Sign(body)), "SIGNATURE_WRONG");
  EXPECT_EQ(ReasonOf(body, SipgateSigner().Sign(body)), "SIGNATURE_WRONG");
}

}  // namespace
}  // namespace ringback::web
