import type { Role } from './area.js';
import type { Theme } from './theme.js';

/** How the two areas of an evaluation look: the control is striped, so that they differ without colour. */
export const AREA_LOOKS: Readonly<
  Record<
    Role,
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
};

/** Name under which the map knows an area. */
export const areaShade = (role: Role): string => `area-${role}`;
