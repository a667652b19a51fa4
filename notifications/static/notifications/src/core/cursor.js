/**
 * Read the inbox's position from a cursor (`inbox=5f0c2a91.42`, perhaps joined with other streams by commas).
 *
 * @param {string | null | undefined} cursor
 * @returns {{epoch: string, at: number}} at -1 where there is none
 */
export function position(cursor) {
  const match = /(?:^|,)inbox=(\w+)\.(\d+)/.exec(cursor ?? "");
  return match ? { epoch: match[1], at: +match[2] } : { epoch: "", at: -1 };
}
