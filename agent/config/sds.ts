/** The block `sds`: under which names Envoy's secret discovery hands out what a workload has. */
import { type Read, section, withDefault } from '../../config/check.ts'
import { text, truth } from '../../config/value.ts'
import { DEFAULT_SDS_SETTINGS, type SdsSettings } from '../sds/settings.ts'

const name = (fallback: string, about: string) =>
  withDefault(text('a resource name'), fallback, `SDS resource of ${about}`)

export const sds = section({
  default_all_bundles_name: name(
    DEFAULT_SDS_SETTINGS.defaultAllBundlesName,
    'the own bundle and all federated ones in one',
  ),
  default_bundle_name: name(
    DEFAULT_SDS_SETTINGS.defaultBundleName,
    'the bundle of the agent’s trust domain',
  ),
  default_svid_name: name(
    DEFAULT_SDS_SETTINGS.defaultSvidName,
    'the workload’s first X.509-SVID, with its key',
  ),
  disable_spiffe_cert_validation: withDefault(
    truth(),
    'false',
    'give Envoy roots alone, and no SPIFFE validator; an Envoy overrides it in the metadata of its node',
  ),
})

export function sdsSettings(read: Read<(typeof sds)['keys']>): SdsSettings {
  return {
    defaultSvidName: read.default_svid_name,
    defaultBundleName: read.default_bundle_name,
    defaultAllBundlesName: read.default_all_bundles_name,
    disableSpiffeCertValidation: read.disable_spiffe_cert_validation,
  }
}
