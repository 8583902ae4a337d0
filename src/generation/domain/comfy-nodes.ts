import { type LineageRole } from '../../licenses/domain/listing.js';

/**
 * Folders of a ComfyUI server in which weights lie, each with the role of what is in them. A name is unique within its
 * folder only.
 */
export const WEIGHT_FOLDERS = {
  checkpoints: 'generator',
  diffusion_models: 'generator',
  vae: 'autoencoder',
  text_encoders: 'encoder',
  clip_vision: 'encoder',
  loras: 'lora',
  hypernetworks: 'lora',
  controlnet: 'control',
  style_models: 'control',
  gligen: 'control',
  upscale_models: 'upscaler',
  photomaker: 'face',
} as const satisfies Record<string, LineageRole>;
export type WeightFolder = keyof typeof WEIGHT_FOLDERS;

/** Former names, which the server still takes; files of both lie in one list. */
const FORMER_FOLDERS: Readonly<Record<string, WeightFolder>> = {
  unet: 'diffusion_models',
  clip: 'text_encoders',
};

/** @returns one name for a folder that has two */
export function weightFolder(name: string): string {
  return FORMER_FOLDERS[name] ?? name;
}

/** What a node brings into the work: the inputs that name weight files, with the role of what is in them. */
export interface NodeRule {
  readonly weights?: Readonly<Record<string, LineageRole>> | undefined;
  /** Where the files of these inputs lie, by input. */
  readonly folders?: Readonly<Record<string, string>> | undefined;
  /** Inputs that name a picture in the input folder of the server; filled by uploads only. */
  readonly files?: readonly string[] | undefined;
}

/** Nodes that come with ComfyUI and name no file at all: latents, conditioning, samplers, arithmetic on pictures. */
const WITHOUT_FILES = [
  'BasicGuider',
  'BasicScheduler',
  'CFGGuider',
  'CLIPSetLastLayer',
  'CLIPTextEncode',
  'CLIPTextEncodeFlux',
  'CLIPTextEncodeSD3',
  'CLIPTextEncodeSDXL',
  'CLIPTextEncodeSDXLRefiner',
  'CLIPVisionEncode',
  'ConditioningAverage',
  'ConditioningCombine',
  'ConditioningConcat',
  'ConditioningSetArea',
  'ConditioningSetMask',
  'ConditioningZeroOut',
  'ControlNetApply',
  'ControlNetApplyAdvanced',
  'DualCFGGuider',
  'EmptyImage',
  'EmptyFlux2LatentImage',
  'EmptyLatentImage',
  'EmptyQwenImageLayeredLatentImage',
  'EmptySD3LatentImage',
  'FluxGuidance',
  'FluxKontextImageScale',
  'GrowMask',
  'ImageBatch',
  'ImageBlend',
  'ImageBlur',
  'ImageColorToMask',
  'ImageCompositeMasked',
  'ImageCrop',
  'ImageInvert',
  'ImagePadForOutpaint',
  'ImageScale',
  'ImageScaleBy',
  'ImageScaleToMaxDimension',
  'ImageScaleToTotalPixels',
  'ImageSharpen',
  'ImageStitch',
  'ImageToMask',
  'ImageUpscaleWithModel',
  'InpaintModelConditioning',
  'InvertMask',
  'JoinImageWithAlpha',
  'KSampler',
  'KSamplerAdvanced',
  'KSamplerSelect',
  'LatentUpscale',
  'LatentUpscaleBy',
  'MaskComposite',
  'MaskToImage',
  'ModelSamplingAuraFlow',
  'ModelSamplingFlux',
  'ModelSamplingSD3',
  'PreviewImage',
  'RandomNoise',
  'ReferenceLatent',
  'RepeatLatentBatch',
  'SamplerCustom',
  'SamplerCustomAdvanced',
  'SaveImage',
  'SetLatentNoiseMask',
  'SolidMask',
  'SplitImageWithAlpha',
  'TextEncodeQwenImageEdit',
  'TextEncodeQwenImageEditPlus',
  'VAEDecode',
  'VAEDecodeTiled',
  'VAEEncode',
  'VAEEncodeForInpaint',
  'VAEEncodeTiled',
] as const;

/** Nodes that load weights: for each input the folder of the server that it names a file of. */
const LOADERS: Readonly<Record<string, Readonly<Record<string, WeightFolder>>>> = {
  CheckpointLoaderSimple: { ckpt_name: 'checkpoints' },
  unCLIPCheckpointLoader: { ckpt_name: 'checkpoints' },
  UNETLoader: { unet_name: 'diffusion_models' },
  VAELoader: { vae_name: 'vae' },
  CLIPLoader: { clip_name: 'text_encoders' },
  DualCLIPLoader: { clip_name1: 'text_encoders', clip_name2: 'text_encoders' },
  TripleCLIPLoader: {
    clip_name1: 'text_encoders',
    clip_name2: 'text_encoders',
    clip_name3: 'text_encoders',
  },
  QuadrupleCLIPLoader: {
    clip_name1: 'text_encoders',
    clip_name2: 'text_encoders',
    clip_name3: 'text_encoders',
    clip_name4: 'text_encoders',
  },
  CLIPVisionLoader: { clip_name: 'clip_vision' },
  LoraLoader: { lora_name: 'loras' },
  LoraLoaderModelOnly: { lora_name: 'loras' },
  ControlNetLoader: { control_net_name: 'controlnet' },
  DiffControlNetLoader: { control_net_name: 'controlnet' },
  StyleModelLoader: { style_model_name: 'style_models' },
  GLIGENLoader: { gligen_name: 'gligen' },
  HypernetworkLoader: { hypernetwork_name: 'hypernetworks' },
  UpscaleModelLoader: { model_name: 'upscale_models' },
  PhotoMakerLoader: { photomaker_model_name: 'photomaker' },
};

/** Nodes that load pictures. */
const PICTURES: Readonly<Record<string, NodeRule>> = {
  LoadImage: { files: ['image'] },
  LoadImageMask: { files: ['image'] },
};

/**
 * The closed list of nodes whose effect on the lineage is known (docs/providers.md shows it). A node that is not here
 * could load anything from anywhere, so a graph with one is refused until the operator says what it loads.
 */
export const KNOWN_NODES: ReadonlyMap<string, NodeRule> = new Map<string, NodeRule>([
  ...WITHOUT_FILES.map((name) => [name, {}] as const),
  ...Object.entries(LOADERS).map(([name, folders]) => [name, loaderOf(folders)] as const),
  ...Object.entries(PICTURES),
]);

function loaderOf(folders: Readonly<Record<string, WeightFolder>>): NodeRule {
  const roles = Object.entries(folders).map(([input, folder]) => [input, WEIGHT_FOLDERS[folder]] as const);
  return { weights: Object.fromEntries(roles), folders };
}
