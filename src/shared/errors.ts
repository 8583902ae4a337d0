/**
 * The closed union of error codes. A code is part of the public contract: it never changes its meaning.
 * Each has an HTTP status (used by the one problem+json filter) and what the reader can do next.
 */
export const ERROR_CODES = {
  // Who is asking
  unauthenticated: { status: 401, howToFix: 'Send an API key as "Authorization: Bearer clp_...".' },
  invalid_api_key: {
    status: 401,
    howToFix:
      'Check the key, or ask an admin for a new one: it may be malformed, unknown, expired or revoked.',
  },
  invalid_share_link: {
    status: 401,
    howToFix: 'Ask whoever sent the link for a new one: it may be malformed, unknown, expired or revoked.',
  },
  credentials_in_url: {
    status: 401,
    howToFix: 'Send the key in a header, never in the URL, and replace the key that was exposed.',
  },
  forbidden: { status: 403, howToFix: 'Ask an admin for a role that may do this.' },
  wrong_mode: { status: 403, howToFix: 'Use a live key for live objects and a test key for test objects.' },
  rate_limited: { status: 429, howToFix: 'Wait for the time given in Retry-After.' },
  // What is asked
  invalid_request: { status: 400, howToFix: 'Correct the fields listed in "errors".' },
  invalid_json: { status: 400, howToFix: 'Send well-formed JSON in UTF-8.' },
  invalid_cursor: { status: 400, howToFix: 'Use a cursor exactly as an earlier page returned it.' },
  not_found: {
    status: 404,
    howToFix: 'Check the address and the id: it does not exist in this organization.',
  },
  not_served: {
    status: 404,
    howToFix: 'Use one of the addresses that the detail names, or the vendor itself.',
  },
  method_not_allowed: { status: 405, howToFix: 'See /docs for the methods of this route.' },
  unsupported_content_type: {
    status: 415,
    howToFix: 'Send the content type that /docs names for this route.',
  },
  payload_too_large: { status: 413, howToFix: 'Send less than the limit named in the detail.' },
  query_too_long: {
    status: 414,
    howToFix: 'Send the value in a body: POST /sbr/matches/byBinding.',
  },
  conflict: { status: 409, howToFix: 'Read the current state and decide again.' },
  idempotency_key_required: {
    status: 400,
    howToFix: 'Send an Idempotency-Key header with a value of your own, e.g. a UUID.',
  },
  invalid_idempotency_key: { status: 400, howToFix: 'Use 1 to 255 printable ASCII characters.' },
  idempotency_in_flight: {
    status: 409,
    howToFix: 'The first request with this key is still being worked on. Retry after a second.',
  },
  idempotency_key_reused: { status: 422, howToFix: 'Use a new Idempotency-Key for a different request.' },
  // Files
  unsupported_media: {
    status: 415,
    howToFix:
      'Send PNG, JPEG, WebP, AVIF, TIFF, GIF, HEIC, JPEG XL, SVG, MP4, MOV, WebM, Matroska, WAV, MP3, M4A, FLAC, Ogg, GLB, glTF, OBJ, STL, USDZ, text or JSON. The bytes decide, and the name must not contradict them.',
  },
  media_not_allowed: {
    status: 422,
    howToFix:
      'Export the file again without scripts, entities, foreign content and references to other files.',
  },
  media_corrupt: { status: 422, howToFix: 'The file is truncated or damaged. Export it again.' },
  media_too_large: { status: 422, howToFix: 'Stay below the limit named in the detail.' },
  no_manifest: {
    status: 422,
    howToFix: 'The file carries no manifest, so there is nothing to represent. Ask without "format".',
  },
  manifest_malformed: { status: 422, howToFix: 'The file carries a manifest that cannot be parsed safely.' },
  sidecar_not_needed: {
    status: 422,
    howToFix: 'Verify the file without the separate manifest: the one inside of it counts.',
  },
  not_a_picture: {
    status: 422,
    howToFix: 'Use a still picture here: PNG, JPEG, WebP, AVIF, TIFF or GIF.',
  },
  range_not_satisfiable: { status: 416, howToFix: 'Ask for bytes below the size named in Content-Range.' },
  // Licenses
  clearance_denied: { status: 403, howToFix: 'See "findings": each says what would be allowed instead.' },
  clearance_under_review: {
    status: 409,
    howToFix:
      'Have a person with the role legal approve a waiver for the findings, or choose an alternative named in them.',
  },
  policy_denied: {
    status: 403,
    howToFix: 'See "findings": each names a policy of your organization and what would satisfy it.',
  },
  policy_invalid: {
    status: 422,
    howToFix: 'Correct the places listed in "errors". GET /v1/policies/schema tells what a policy can ask.',
  },
  unknown_model: { status: 422, howToFix: 'List the known model listings with GET /v1/models.' },
  // Gateway: statuses that no vendor's SDK repeats by itself
  gateway_closed: {
    status: 403,
    howToFix:
      'Have a person with the role legal or admin open the gateway of this use case: PUT /v1/projects/{id}/use-cases/{name}/gateway with the facts of its runs.',
  },
  gateway_unsupported: {
    status: 422,
    howToFix: 'See docs/gateway.md for what the gateway takes, or start a run with POST /v1/runs.',
  },
  input_unreachable: {
    status: 422,
    howToFix:
      'Name an address that gives the file to anybody, within the time and size that docs/gateway.md names, or send the file itself.',
  },
  input_rights_undeclared: {
    status: 403,
    howToFix:
      'Have a person with the role legal or admin declare the rights in files that SDKs send: "inputRights" of PUT /v1/projects/{id}/use-cases/{name}/gateway. Or upload the picture with POST /v1/assets and start a run with it.',
  },
  waiver_required: {
    status: 403,
    howToFix:
      'Have a person with the role legal approve a waiver for each open finding in this project (POST /v1/waivers with finding, projectId and requestedBy), then send the request again.',
  },
  generation_failed: {
    status: 422,
    howToFix:
      'See "steps" for the reason, and GET /v1/runs/{id} for what was charged and what was made. Sending the request again starts a new run.',
  },
  outcome_unknown: {
    status: 422,
    howToFix:
      'The answer of the provider was lost, so it may have been charged. An admin says what happened with POST /v1/runs/{id}/steps/{key}/reconcile; nothing is sent again by itself.',
  },
  run_unfinished: {
    status: 422,
    howToFix:
      'The run goes on: see GET /v1/runs/{id}. The same request sent again waits for this run, and is not charged a second time.',
  },
  // Pipelines and runs
  unknown_pipeline: { status: 422, howToFix: 'List the pipelines with GET /v1/pipelines.' },
  pipeline_invalid: { status: 422, howToFix: 'Correct the steps named in "errors".' },
  pipeline_cyclic: {
    status: 422,
    howToFix: 'A step must not depend on its own output. The detail names the cycle.',
  },
  pipeline_too_large: { status: 422, howToFix: 'Split the pipeline: the detail names the limit.' },
  source_not_allowed: {
    status: 422,
    howToFix: 'Only bytes that this program captured, or received with a rights declaration, can be signed.',
  },
  budget_exceeded: { status: 402, howToFix: 'Ask an admin to raise the budget, or choose a cheaper model.' },
  price_unknown: {
    status: 422,
    howToFix:
      'Add a price for this model listing, or leave out what the detail names: an unknown price is never taken as 0.',
  },
  provider_not_configured: {
    status: 422,
    howToFix: 'Configure the credentials of this provider, or use a test key.',
  },
  inputs_erased: {
    status: 409,
    howToFix:
      'Start a new run: the inputs of this one were erased, so its open steps cannot be done. Nothing more is spent.',
  },
  run_not_resumable: {
    status: 409,
    howToFix: 'See the detail. Start a new run with what this one made as inputs or substitutes.',
  },
  deadline_passed: { status: 409, howToFix: 'Resume the run, or start a new one: nobody answered in time.' },
  run_not_cancelable: { status: 409, howToFix: 'The run has ended.' },
  // Human work
  four_eyes_required: {
    status: 409,
    howToFix: 'Someone other than the people who made this asset must review it.',
  },
  claim_open: {
    status: 409,
    howToFix: 'Somebody of the role legal has to say first what became of the claims that are listed.',
  },
  not_approved: { status: 409, howToFix: 'Have the asset reviewed and approved first.' },
  contribution_required: {
    status: 409,
    howToFix:
      'The use case demands a human contribution that the record supports. See GET /v1/assets/{id}/authorship for what it holds and lacks, and record the work with POST /v1/assets/{id}/contributions.',
  },
  checklist_open: {
    status: 409,
    howToFix:
      'The use case demands that every point of the checklist is confirmed with an approval: send the keys listed in "open" as "confirmed", after looking at each.',
  },
  signature_invalid: {
    status: 422,
    howToFix:
      'Sign the canonical JSON (RFC 8785) of the record, as docs/contributions-and-review.md shows, with a key registered to you with POST /v1/signature-keys.',
  },
  obligations_open: {
    status: 409,
    howToFix:
      'Prove the obligations listed in "obligations" with POST /v1/assets/{id}/obligations/{obligationId}/proof: they are due before publication.',
  },
  // People's data
  legal_hold: {
    status: 409,
    howToFix:
      'See "holdIds". A person with the role legal lifts a hold when its reason has ended; until then nothing that it covers is erased.',
  },
  content_removed: {
    status: 410,
    howToFix:
      'The bytes are gone for good; what was recorded of them stays: see GET /v1/audit/entries with the id as subject. Make or upload the content anew.',
  },
  // The world outside
  url_blocked: { status: 422, howToFix: 'Use a public https address.' },
  upstream_error: { status: 502, howToFix: 'The provider failed. The run tells what was charged.' },
  upstream_invalid: {
    status: 502,
    howToFix: 'The provider answered with something that is not a usable file.',
  },
  upstream_timeout: {
    status: 504,
    howToFix: 'The provider did not answer in time. The run tells what was charged.',
  },
  // Fail closed
  audit_unavailable: {
    status: 503,
    howToFix: 'The log cannot be written, so nothing is released. Retry later.',
  },
  signer_unavailable: {
    status: 503,
    howToFix: 'The signing key cannot be used, so nothing is released. Ask the operator.',
  },
  time_stamp_unavailable: {
    status: 503,
    howToFix:
      'Manifests must be time-stamped here and the authority gives no usable time-stamp, so nothing is signed. Ask the operator.',
  },
  storage_unavailable: {
    status: 503,
    howToFix: 'The asset store cannot be used, so nothing is released. Ask the operator.',
  },
  reader_unavailable: {
    status: 503,
    howToFix:
      'The process in which files are read does not start, or the service is being shut down. Nothing is known of the file: send it again later.',
  },
  watermark_unavailable: {
    status: 503,
    howToFix:
      'Put the models named in the detail into the folder COLOPHON_TRUSTMARK_MODELS. They are never downloaded.',
  },
  log_damaged: {
    status: 500,
    howToFix:
      'What is stored and what was published and signed differ, so it is not shown. Ask the operator to run POST /v1/audit/checks and to compare with a mirror.',
  },
  bad_signature: { status: 401, howToFix: 'The webhook signature does not verify over the raw body.' },
  internal: { status: 500, howToFix: 'Report the request id to the operator.' },
} as const satisfies Record<string, { status: number; howToFix: string }>;

export type ErrorCode = keyof typeof ERROR_CODES;

/** Machine-readable detail beside the message, e.g. findings of a clearance or the list of invalid fields. */
export type ErrorExtensions = Readonly<Record<string, unknown>>;

/**
 * The one error class that crosses module borders. `detail` is shown to the caller: it never holds a prompt,
 * personal data, a secret, SQL or another organization's ids. The reason for operators goes to `cause`.
 */
export class ColophonError extends Error {
  readonly code: ErrorCode;
  readonly extensions: ErrorExtensions;

  constructor(
    code: ErrorCode,
    detail: string,
    options: { extensions?: ErrorExtensions; cause?: unknown } = {},
  ) {
    super(detail, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'ColophonError';
    this.code = code;
    this.extensions = options.extensions ?? {};
  }

  get status(): number {
    return ERROR_CODES[this.code].status;
  }
}

export function isColophonError(error: unknown, code?: ErrorCode): error is ColophonError {
  return error instanceof ColophonError && (code === undefined || error.code === code);
}
