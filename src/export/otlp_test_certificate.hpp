#pragma once
// For tests of this room: a self-signed certificate for 127.0.0.1, valid for a hundred years. Its
// key protects nothing.

#include <string_view>

namespace flowspan::exporting {

inline constexpr std::string_view kTestKey = R"(-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgzpwUlJf9ZEGgOCB7
KUnH0r51GW1I17I1ZcErxdoObbKhRANCAAR0MsZlYNAZN175iy/AhL/bVIKgBtNK
bodnTXLiCbL56lGqBX+2Ci+3F7Kg1Mq9I1Pu15usXgMN5kWCjinQo/Mr
-----END PRIVATE KEY-----
)";

inline constexpr std::string_view kTestCertificate = R"(-----BEGIN CERTIFICATE-----
MIIBtTCCAVugAwIBAgIUegkKnL2g1Wm1cSmdjR4kl1oH3qMwCgYIKoZIzj0EAwIw
ITEfMB0GA1UEAwwWZmxvd3NwYW4gdGVzdCByZWNlaXZlcjAgFw0yNjExMjIxMDM1
MjdaGA8yMTI2MTAyOTEwMzUyN1owITEfMB0GA1UEAwwWZmxvd3NwYW4gdGVzdCBy
ZWNlaXZlcjBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABHQyxmVg0Bk3XvmLL8CE
v9tUgqAG00puh2dNcuIJsvnqUaoFf7YKL7cXsqDUyr0jU+7Xm6xeAw3mRYKOKdCj
8yujbzBtMB0GA1UdDgQWBBQvEkgh5cRZZiljThDaH2XO2RCztzAfBgNVHSMEGDAW
gBQvEkgh5cRZZiljThDaH2XO2RCztzAPBgNVHRMBAf8EBTADAQH/MBoGA1UdEQQT
MBGHBH8AAAGCCWxvY2FsaG9zdDAKBggqhkjOPQQDAgNIADBFAiEA0W+ETJVrbSHR
afRiT4gNbf9173q7x0oG2KxqACHQU48CID/N0b/au8n3LYzOh7v5e4k+hzlkBp4X
GRskvblUrSsG
-----END CERTIFICATE-----
)";

}  // namespace flowspan::exporting
