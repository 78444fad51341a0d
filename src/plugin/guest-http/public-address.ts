/**
 * Tells addresses of the public Internet from those that only this machine, its network or its
 * cloud can reach. For IPv6 the public ones are listed, since most of that space is unassigned.
 * Source: https://www.iana.org/assignments/iana-ipv4-special-registry/ and its IPv6 sibling.
 */
import { BlockList, isIP } from 'node:net';

/**
 * "This network", private, shared (CGNAT), loopback, link-local, documentation, multicast, reserved.
 * And Azure's platform, which looks public but answers each of its virtual machines, with their secrets:
 * https://learn.microsoft.com/azure/virtual-network/what-is-ip-address-168-63-129-16
 */
const SPECIAL_IPV4: readonly (readonly [string, number])[] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['168.63.129.16', 32],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
];
/** Global unicast. What is outside (loopback, unique local, link-local, mapped IPv4, ...) is not public. */
const GLOBAL_IPV6 = '2000::';
/** Within global unicast: protocol assignments with Teredo, documentation, 6to4 (it carries any IPv4). */
const SPECIAL_IPV6: readonly (readonly [string, number])[] = [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
];
/** The well-known prefix of NAT64: public as far as the IPv4 address in it is. */
const NAT64 = '64:ff9b::';
const NAT64_BITS = 96;

const globalV6 = new BlockList();
globalV6.addSubnet(GLOBAL_IPV6, 3, 'ipv6');
globalV6.addSubnet(NAT64, NAT64_BITS, 'ipv6');

const specialV4 = new BlockList();
const specialV6 = new BlockList();
for (const [network, bits] of SPECIAL_IPV4) {
  specialV4.addSubnet(network, bits, 'ipv4');
  specialV6.addSubnet(NAT64 + network, NAT64_BITS + bits, 'ipv6');
}
for (const [network, bits] of SPECIAL_IPV6) specialV6.addSubnet(network, bits, 'ipv6');

/** False for everything that is not an IP address, and for every address with a zone. */
export function isPublicAddress(address: string): boolean {
  switch (address.includes('%') ? 0 : isIP(address)) {
    case 4:
      return !specialV4.check(address, 'ipv4');
    case 6:
      return globalV6.check(address, 'ipv6') && !specialV6.check(address, 'ipv6');
    default:
      return false;
  }
}
