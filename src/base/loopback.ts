/**
 * Whether a name or address can only mean this machine: 127.0.0.0/8, ::1, localhost and what ends in it. Brackets around
 * an IPv6 address are allowed. Source: RFC 6761, section 6.3; RFC 4291, section 2.5.3
 */
export function isLoopback(host: string): boolean {
  const bare = host.toLowerCase().replace(/^\[(.*)\]$/, '$1');
  return /^127(?:\.\d{1,3}){3}$/.test(bare) || bare === '::1' || /^(?:.+\.)?localhost$/.test(bare);
}
