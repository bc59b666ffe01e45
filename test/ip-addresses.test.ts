import { expect, test } from "vitest";

import { addressList, isLoopback, isPublicAddress, networkOf, plainAddress } from "../src/ip-addresses.ts";

test("an address has one spelling", () => {
  for (const [text, plain] of [
    ["1.2.3.4", "1.2.3.4"],
    ["::FFFF:1.2.3.4", "1.2.3.4"],
    ["::ffff:0102:0304", "1.2.3.4"],
    ["0:0:0:0:0:ffff:102:304", "1.2.3.4"],
    ["2001:0DB8:0:0:0:0:0:1", "2001:db8::1"],
    ["fe80::1%eth0", "fe80::1"],
    ["::", "::"],
  ]) {
    expect(plainAddress(text as string)).toBe(plain);
  }
  for (const text of [
    "",
    "1.2.3",
    "01.2.3.4",
    "2130706433",
    "0x7f.1",
    "localhost",
    "[::1]",
    "1.2.3.4 ",
    "::1%",
    "::g",
  ]) {
    expect(plainAddress(text)).toBeUndefined();
  }
});

test("public is what the internet has, and nothing near (X20)", () => {
  const inner = [
    ...[
      "0.0.0.0",
      "10.1.2.3",
      "100.64.0.1",
      "127.0.0.1",
      "127.255.255.255",
      "169.254.169.254",
      "172.16.0.1",
      "172.31.255.255",
    ],
    ...[
      "192.0.0.1",
      "192.0.2.1",
      "192.168.0.1",
      "198.18.0.1",
      "198.51.100.1",
      "203.0.113.1",
      "224.0.0.1",
      "255.255.255.255",
    ],
    ...[
      "::",
      "::1",
      "::ffff:127.0.0.1",
      "::ffff:169.254.169.254",
      "fe80::1",
      "fe80::1%eth0",
      "fc00::1",
      "fd00:ec2::254",
    ],
    ...[
      "ff02::1",
      "64:ff9b::a9fe:a9fe",
      "2001:db8::1",
      "2002:7f00:1::",
      "2001::1",
      "::127.0.0.1",
      "fec0::1",
      "",
      "localhost",
    ],
  ];
  for (const address of inner) expect([address, isPublicAddress(address)]).toEqual([address, false]);
  for (const address of ["1.1.1.1", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "2a00:1450::1", "::ffff:1.1.1.1"]) {
    expect([address, isPublicAddress(address)]).toEqual([address, true]);
  }
  for (const address of ["127.0.0.1", "::1", "::ffff:127.0.0.1"]) expect(isLoopback(address)).toBe(true);
  for (const address of ["10.0.0.1", "::", "localhost", ""]) expect(isLoopback(address)).toBe(false);
});

test("a list holds addresses and subnets, in any spelling", () => {
  const list = addressList(["10.0.0.0/8", "2001:db8::/32", "192.168.1.5", "::ffff:1.2.3.4"], "x");
  for (const address of ["10.255.0.1", "::ffff:10.0.0.1", "2001:db8:ffff::1", "192.168.1.5", "1.2.3.4"]) {
    expect(list.has(address)).toBe(true);
  }
  for (const address of ["11.0.0.1", "192.168.1.6", "2001:db9::", "", "10.0.0.1.evil.com"])
    expect(list.has(address)).toBe(false);
  for (const entry of ["", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/-1", "::/129", "a/8", "10.0.0.0/8/8", "localhost"]) {
    expect(() => addressList([entry], "trustedProxies")).toThrow("trustedProxies must hold addresses");
  }
});

test("an IPv6 address counts by its network of 64 bits", () => {
  expect(networkOf("2001:db8:1:2:3:4:5:6")).toBe("2001:db8:1:2::/64");
  expect(networkOf("2001:db8::6")).toBe("2001:db8:0:0::/64");
  expect(networkOf("::1")).toBe("0:0:0:0::/64");
  expect(networkOf("::ffff:1.2.3.4")).toBe("1.2.3.4");
  expect(networkOf("unknown")).toBe("unknown");
});
