/** Plugins of SPIRE's that are not offered, and why: known by name, so that nobody looks for a typing error. */

const CLOUDS: readonly (readonly [RegExp, string])[] = [
  [/^aws/, 'Amazon’s services'],
  [/^azure/, 'Microsoft’s services'],
  [/^(gcp|gcs)/, 'Google’s services'],
]

/** Why a plugin of this name is refused, reading on from its name. */
export function whyNotOffered(plugin: string): string {
  const cloud = CLOUDS.find(([names]) => names.test(plugin))?.[1]
  if (cloud !== undefined) return `not offered: it needs ${cloud}, and nothing is offered untested`
  if (plugin === 'windows') return 'not offered: it is for Windows, and this program is for Linux'
  return 'not implemented yet'
}
