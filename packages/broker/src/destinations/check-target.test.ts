import { webhookUrlSchema } from "@longshore/protocol";
import { describe, expect, it } from "vitest";
import { kindOfAddress } from "./address-kind.ts";
import { createAllowList, isAllowEntry } from "./allow-list.ts";
import { checkTarget } from "./check-target.ts";

const nothing = createAllowList([]);
const check = (url: string, addresses: readonly string[] = [], allow = nothing) => checkTarget(new URL(webhookUrlSchema.parse(url)), async () => addresses, allow);
const [someIPv4, someIPv6] = ["93.184.216.34", "2606:2800:220:1::1"];

describe("an address", () => {
  it.each([
    ["0.0.0.0", "unspecified"], ["0.1.2.3", "unspecified"], ["10.0.0.1", "private"], ["100.64.0.1", "shared"], ["100.127.255.255", "shared"], ["127.0.0.1", "loopback"], ["127.255.255.255", "loopback"],
    ["169.254.169.254", "link-local"], ["172.16.0.1", "private"], ["172.31.255.255", "private"], ["192.168.1.1", "private"], ["192.0.0.192", "reserved"], ["192.0.2.1", "reserved"], ["198.18.0.1", "reserved"],
    ["203.0.113.9", "reserved"], ["224.0.0.1", "multicast"], ["239.255.255.255", "multicast"], ["240.0.0.1", "reserved"], ["255.255.255.255", "reserved"], ["168.63.129.16", "metadata"],
    ["::", "unspecified"], ["::1", "loopback"], ["fc00::1", "private"], ["fd00:ec2::254", "private"], ["fe80::1", "link-local"], ["fe80::1%eth0", "link-local"], ["febf::1", "link-local"], ["fec0::1", "private"], ["ff02::1", "multicast"],
    ["2001:db8::1", "reserved"], ["2001::1", "reserved"], ["100::1", "reserved"], ["5f00::1", "reserved"],
    ["::ffff:127.0.0.1", "loopback"], ["::ffff:7f00:1", "loopback"], ["0:0:0:0:0:FFFF:0A00:0001", "private"], ["::ffff:0:10.0.0.1", "private"], ["::127.0.0.1", "reserved"], ["64:ff9b::10.0.0.1", "private"],
    ["64:ff9b::a9fe:a9fe", "link-local"], ["64:ff9b:1::1", "reserved"], ["2002:7f00:1::", "loopback"], ["2002:c0a8:101::1", "private"], ["2002:a9fe:a9fe::", "link-local"],
    ["", "reserved"], ["localhost", "reserved"], ["10.0.0", "reserved"],
  ])("%j is %s", (address, kind) => {
    expect(kindOfAddress(address)).toBe(kind);
  });

  it.each([
    someIPv4, "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255", "128.0.0.0", "169.253.255.255", "172.15.255.255", "172.32.0.0", "192.167.255.255", "223.255.255.255", "1.1.1.1",
    someIPv6, "2a00::1", "2001:4860:4860::8888", "::ffff:1.1.1.1", "64:ff9b::1.1.1.1", "2002:101:101::",
  ])("%j is for everybody", (address) => {
    expect(kindOfAddress(address)).toBe("public");
  });
});

describe("a webhook's host", () => {
  it.each([
    "http://127.0.0.1/", "http://127.1/", "http://2130706433/", "http://017700000001/", "http://0177.0.0.1/", "http://0x7f000001/", "http://0x7f.1/", "http://127.0.0.1./", "http://%31%32%37.0.0.1/", "http://0/",
    "http://169.254.169.254/latest/meta-data", "http://0xa9fea9fe/", "http://2852039166/", "http://10.1/", "https://[::1]/", "https://[::]/", "http://[::ffff:127.0.0.1]/", "http://[::ffff:a9fe:a9fe]/", "http://[0:0:0:0:0:ffff:10.0.0.1]/",
    "http://[64:ff9b::169.254.169.254]/", "http://[2002:a00:1::]/", "http://[fe80::1]/", "http://[fd00:ec2::254]/",
  ])("is refused as %s, and no resolver is asked", async (url) => {
    const asked: string[] = [];
    const target = await checkTarget(new URL(url), async (host) => (asked.push(host), [someIPv4]), nothing);
    expect(target).toHaveProperty("refusedBecause");
    expect(asked).toEqual([]);
  });

  it.each(["http://localhost/", "http://localhost./", "http://LOCALHOST/", "https://rebind.example/", "http://127.0.0.1.nip.example/"])("is refused as %s where its name stands for a private address", async (url) => {
    expect(await check(url, ["127.0.0.1"])).toEqual({ refusedBecause: "it stands for 127.0.0.1, which is loopback" });
  });

  it.each([[[someIPv4, "10.0.0.1"]], [["fe80::1%eth0", someIPv4]], [[someIPv6, "::ffff:10.0.0.1", someIPv4]]])("is refused when one of its addresses is: %j", async (addresses) => {
    expect(await check("https://both.example/", addresses)).toHaveProperty("refusedBecause");
  });

  it("is reached by the addresses that were looked at, in their order", async () => {
    expect(await check("https://hooks.example/", [someIPv6, someIPv4])).toEqual({ addresses: [someIPv6, someIPv4] });
    expect(await check(`https://${someIPv4}/`)).toEqual({ addresses: [someIPv4] });
    expect(await check(`https://[${someIPv6}]/`)).toEqual({ addresses: [someIPv6] });
  });

  it("is none without an address", async () => {
    await expect(check("https://hooks.example/", [])).rejects.toThrow("its name has no address");
  });
});

describe("what the operator allows", () => {
  it.each([
    ["hooks.plant", "http://hooks.plant/", ["10.0.0.1"]], ["Hooks.Plant.", "http://hooks.plant:8080/", ["10.0.0.1", "fd00::1"]], ["hooks.plant", "http://HOOKS.PLANT./", ["127.0.0.1"]],
    ["10.1.0.0/16", "http://a.example/", ["10.1.2.3", someIPv4]], ["10.1.2.3", "http://10.1.2.3/", []], ["10.1.2.3", "http://[::ffff:10.1.2.3]/", []], ["fd00::/8", "http://[fd12::1]/", []], ["::1", "http://[::1]/", []],
  ])("%s lets %s pass", async (entry, url, addresses) => {
    expect(await check(url, addresses, createAllowList([entry]))).toHaveProperty("addresses");
  });

  it.each([
    ["hooks.plant", "http://other.plant/", ["10.0.0.1"]], ["plant", "http://hooks.plant/", ["10.0.0.1"]], ["hooks.plant", "http://evil-hooks.plant/", ["10.0.0.1"]], ["hooks.plant", "http://10.0.0.1/", []],
    ["10.1.0.0/16", "http://a.example/", ["10.1.2.3", "10.2.0.1"]], ["10.1.2.3", "http://10.1.2.4/", []], ["10.0.0.0/8", "http://[64:ff9b::10.0.0.1]/", []], ["fd00::/8", "http://[fe80::1]/", []],
  ])("%s does not let %s pass", async (entry, url, addresses) => {
    expect(await check(url, addresses, createAllowList([entry]))).toHaveProperty("refusedBecause");
  });

  it.each(["hooks.plant", "a", "a.b.", "10.0.0.1", "10.0.0.0/8", "::1", "fd00::/8", "0.0.0.0/0"])("may be named %j", (entry) => {
    expect(isAllowEntry(entry.replace(/\.$/, ""))).toBe(true);
  });

  it.each(["", "*", "*.plant", "10.0.0", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/8/8", "10.0.0.0/-1", "fd00::/129", "plant/8", "a b", "http://a", "a:80", "-a", "a..b", "127.1", "0x7f000001", "fe80::1%eth0", "1".repeat(64), "a".repeat(64)])("cannot be named %j", (entry) => {
    expect(isAllowEntry(entry)).toBe(false);
  });
});
