/** A map to sets, lean where most keys have one value: then that value alone is kept. */

export type Multimap<K, V extends object> = Map<K, V | Set<V>>

export function addTo<K, V extends object>(map: Multimap<K, V>, key: K, value: V): void {
  const present = map.get(key)
  if (present === undefined) map.set(key, value)
  else if (present instanceof Set) present.add(value)
  else if (present !== value) map.set(key, new Set([present, value]))
}

export function removeFrom<K, V extends object>(map: Multimap<K, V>, key: K, value: V): void {
  const present = map.get(key)
  if (present instanceof Set) {
    present.delete(value)
    if (present.size === 0) map.delete(key)
  } else if (present === value) {
    map.delete(key)
  }
}

/** In the order they were added. */
export function valuesOf<K, V extends object>(map: Multimap<K, V>, key: K): Iterable<V> {
  const present = map.get(key)
  if (present === undefined) return []
  return present instanceof Set ? present : [present]
}
