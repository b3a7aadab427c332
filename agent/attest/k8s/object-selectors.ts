/**
 * The selectors of an object of any kind but a pod, made of its metadata alone and the same for every kind.
 *
 * @see SPIRE behaviour §4 — broker generic objects
 */
import { type Selector, selector } from '../../../spiffe/selector.ts'
import type { KubernetesObject } from '../reference.ts'
import type { FoundObject } from './find-object.ts'

export function objectSelectors(
  { plural, group }: KubernetesObject,
  { resource: { kind, version }, meta }: FoundObject,
): readonly Selector[] {
  const { uid, name, namespace, labels, owners } = meta
  const key = namespace === '' ? name : `${namespace}/${name}`
  return [
    of('uid', uid),
    of('resource', `${plural}.${group}`),
    of('plural', plural),
    of('group', group),
    of('version', version),
    of('apiVersion', group === 'core' ? version : `${group}/${version}`),
    of('kind', kind),
    of('name', name),
    ...(namespace === '' ? [] : [of('namespace', namespace)]),
    of('key', key),
    ...Object.entries(labels).map(([label, value]) => of(`label:${label}`, value)),
    ...owners.flatMap((owner) => {
      // The version is no part of who it is.
      const slash = owner.apiVersion.indexOf('/')
      const of_ = slash === -1 ? 'core' : owner.apiVersion.slice(0, slash)
      const type = `${of_}/${owner.kind}`
      const both = (role: string) => [
        of(`${role}-key`, `${type}/${owner.name}`),
        of(`${role}-uid`, `${type}/${owner.uid}`),
      ]
      return [...both('owner'), ...(owner.controller ? both('controller') : [])]
    }),
  ]
}

function of(name: string, value: string): Selector {
  return selector('k8s', `${name}:${value}`)
}
