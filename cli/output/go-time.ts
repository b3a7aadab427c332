/** Points in time and durations as Go prints them: `2006-01-02 15:04:05 +0000 UTC`, `1h2m3s`. */

export function formatUtc(date: Date): string {
  return `${wallClock(date)} +0000 UTC`
}

/** RFC 3339, whole seconds. */
export function formatRfc3339(date: Date): string {
  return `${date.toISOString().slice(0, 19)}Z`
}

/** @param seconds whole */
export function formatSeconds(seconds: number): string {
  const minutes = Math.trunc(seconds / 60)
  const hours = Math.trunc(minutes / 60)
  const rest = `${seconds % 60}s`
  if (minutes === 0) return rest
  return hours === 0 ? `${minutes}m${rest}` : `${hours}h${minutes % 60}m${rest}`
}

/** In the time zone of the machine, with the zone's name where it has one. */
export function formatLocal(date: Date): string {
  const offset = -date.getTimezoneOffset()
  const minutes = Math.abs(offset)
  const sign = offset < 0 ? '-' : '+'
  const two = (value: number) => String(value).padStart(2, '0')
  const hours = two(Math.floor(minutes / 60))
  const rest = minutes % 60
  const name = zoneName(date) ?? `${sign}${hours}${rest === 0 ? '' : two(rest)}`
  const local = new Date(date.getTime() + offset * 60_000)
  return `${wallClock(local)} ${sign}${hours}${two(rest)} ${name}`
}

/** Each place writes the abbreviations of its own zones and offsets for those of others. */
const PLACES = ['en-US', 'en-GB', 'en-IN', 'en-AU']

function zoneName(date: Date): string | undefined {
  return PLACES.map((place) => new Intl.DateTimeFormat(place, { timeZoneName: 'short' }))
    .map((format) => format.formatToParts(date).find(({ type }) => type === 'timeZoneName'))
    .map((part) => part?.value)
    .find((name) => name !== undefined && !/[+-]/.test(name))
}

function wallClock(date: Date): string {
  return date.toISOString().slice(0, 19).replace('T', ' ')
}
