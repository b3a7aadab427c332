/** What the operator decides about secret discovery: the block `sds` of agent.conf. */

export interface SdsSettings {
  /** Resource name of the first identity's certificate. */
  readonly defaultSvidName: string
  /** Resource name of the own trust domain's bundle. */
  readonly defaultBundleName: string
  /** Resource name of the own and all federated bundles in one. */
  readonly defaultAllBundlesName: string
  /** Roots alone, and no SPIFFE validator; an Envoy may say otherwise of itself. */
  readonly disableSpiffeCertValidation: boolean
}

/** SPIRE's. Istio's proxies ask for the first two by these names. */
export const DEFAULT_SDS_SETTINGS: SdsSettings = {
  defaultSvidName: 'default',
  defaultBundleName: 'ROOTCA',
  defaultAllBundlesName: 'ALL',
  disableSpiffeCertValidation: false,
}
