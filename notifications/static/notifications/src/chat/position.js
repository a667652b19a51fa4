/**
 * Read a room's position from a cursor (`room-7=5f0c2a91.42`, perhaps among others, joined by commas).
 *
 * @param {string | null | undefined} cursor
 * @param {number} room
 * @returns {{epoch: string, at: number}} at -1 where there is none
 */
export function position(cursor, room) {
  const part = (cursor ?? "").split(",").find((part) => part.startsWith(`room-${room}=`)) ?? "";
  const match = /=(\w+)\.(\d+)$/.exec(part);
  return match ? { epoch: match[1], at: +match[2] } : { epoch: "", at: -1 };
}
