import type { AreaRole } from './area.js';
import type { Theme } from './theme.js';

/** How the areas of an evaluation look: controls are striped and the others differ in lightness, so that all differ without colour. */
export const AREA_LOOKS: Readonly<
  Record<
    AreaRole,
    {
      readonly text: string;
      readonly colours: Readonly<Record<Theme['name'], string>>;
      readonly striped: boolean;
    }
  >
> = {
  treated: {
    text: 'Treated area',
    colours: { light: '#cb4a2c', dark: '#e5813f' },
    striped: false,
  },
  control: {
    text: 'Control area',
    colours: { light: '#3f7fb5', dark: '#63a3d2' },
    striped: true,
  },
  displacement: {
    text: 'Displacement area',
    colours: { light: '#c08310', dark: '#b8913f' },
    striped: false,
  },
  displacementControl: {
    text: 'Control of the displacement area',
    colours: { light: '#2f7f58', dark: '#4f9f78' },
    striped: true,
  },
  donor: {
    text: 'Comparison area',
    colours: { light: '#5d4a92', dark: '#c9b8f5' },
    striped: false,
  },
};

/** Name under which the map knows an area. */
export const areaShade = (role: AreaRole): string => `area-${role}`;
