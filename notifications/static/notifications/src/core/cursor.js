/**
 * Read a stream's position from a cursor (`inbox=5f0c2a91.42`, perhaps joined with other streams by commas).
 *
 * @param {string | null | undefined} cursor
 * @param {string} stream
 * @returns {{epoch: string, at: number}} at -1 where there is none
 */
export function position(cursor, stream) {
  const part = (cursor ?? "").split(",").find((part) => part.startsWith(`${stream}=`)) ?? "";
  const match = /=(\w+)\.(\d+)$/.exec(part);
  return match ? { epoch: match[1], at: +match[2] } : { epoch: "", at: -1 };
}
