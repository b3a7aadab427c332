/** Why signatures of images are not verified: the same answer for each attestor that SPIRE offers it for. */

export const NO_SIGSTORE =
  'not offered: it asks registries and a transparency log on the Internet at each attestation'
