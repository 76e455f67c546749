/** Whose data the page shows, as their licences ask. */
export const ATTRIBUTION =
  'Contains public sector information licensed under the Open Government Licence v3.0 (data.police.uk); ' +
  'Source: Office for National Statistics licensed under the OGL v3.0; ' +
  'contains OS data © Crown copyright and database right.';
