/**
 * Read a stream's position from a cursor (`inbox=5f0c2a91.42`, perhaps joined with other streams by commas).
 *
 * @param {string | null | undefined} cursor
 * @param {string} stream
 * @returns {{epoch: string, at: number}} at -1 where there is none
 */
export function position(cursor, stream) {
  return at((cursor ?? "").split(",").find((part) => part.startsWith(`${stream}=`)));
}

/** Read the position from a cursor of one stream. @param {string | null | undefined} cursor @returns {{epoch: string, at: number}} as above */
export function at(cursor) {
  const match = /=(\w+)\.(\d+)$/.exec(cursor ?? "");
  return match ? { epoch: match[1], at: +match[2] } : { epoch: "", at: -1 };
}
