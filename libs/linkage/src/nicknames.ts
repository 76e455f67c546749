/**
 * Short forms of forenames and the form they are keyed as, rule version 1. Several people's choice of spelling, not one
 * person's: a pair belongs here when the short form stands for the long one in most records. A change here is a new
 * `RULES_VERSION`.
 */
const GROUPS = `
abigail abby abbie gail; adam ade; alan al allan allen alun; albert bert bertie; alexander alex alec sandy xander alasdair;
alexandra alexa lexi; alfred alf alfie; alison ali allison; amanda mandy; amelia millie; andrew andy drew; angela angie;
ann anne anna annie ana; anthony tony antony; archibald archie; arthur art; barbara barb babs; benjamin ben benny benji;
bernard bernie; beverley bev beverly; bridget biddy bridie; cameron cam; caroline carol carrie carolyn; catherine kate katie
cath cathy katherine kathryn katharine kathy kat kitty catharine cathryn; charles charlie chuck chas; charlotte lottie;
christine chris chrissie christina; christopher kit topher kris; claire clare; clifford cliff; daniel dan danny; david dave
davey dai dafydd; deborah debbie deb debra; dennis denis den; derek derrick; diana diane di; donald don donnie; dorothy dot
dottie; douglas doug; duncan dunc; edward ed eddie ted teddy ned; elizabeth liz lizzie beth betty eliza elisabeth libby bess
lisbeth; eleanor ellie nell nellie elinor; emily em emmie; emma emmy; eric rick erik; ernest ernie; eugene gene; evan ifan;
florence flo flossie; frances fran francesca; francis frank frankie; frederick fred freddie freddy; gareth gaz; gary gaz garry;
geoffrey geoff jeff jeffrey; george georgie; gerald gerry; gerard ger; gillian gill; gordon gord; graham graeme; gregory greg;
gwendolyn gwen; hannah hanna; harold harry hal; henry hank; helen nell ellen; herbert herb; hugh hughie huw; ian iain; isabel
isobel isabella bella izzy; isaac ike; jacob jake; jacqueline jackie jacqui; james jim jimmy jamie jem; jane janie jayne;
janet jan; jason jase; jennifer jen jenny jennie; jessica jess jessie; joan joanie; joanne jo joanna; john jack johnny jon
jonny; jonathan jonathon johnathan; joseph joe joey; josephine josie; joshua josh; judith judy jude; julia julie; katrina trina;
kenneth ken kenny; kevin kev; kimberley kim kimberly; laura lori; lawrence larry laurence laurie; leonard len lenny; leslie les
lesley; lewis louis lew; lillian lily lilian; linda lynda; louise lou; lucy lucie; lynn lynne; malcolm mal; margaret maggie
meg peggy marge margie megan; marie maria; mark marc; martin marty; martha mattie; mary molly polly; matthew matt mathew;
matilda tilly; maureen mo; maurice morris; maxwell max; melanie mel; melissa missy; michael mick mike mickey micky; michelle
shell; muhammad mohammed mohammad mohamed mohamad muhammed mohd md mo; nancy nan; natalie nat; natasha tasha; nathan nate
nathaniel; neil neal niall; nicholas nick nicky nicolas; nicola nikki; norman norm; oliver ollie olly; olivia liv livvy;
pamela pam; patricia pat patsy trish tricia; patrick paddy; paula pauline; peter pete; philip phil phillip; philippa pippa
pip; rachel rach rachael; raymond ray; rebecca becky becca bex; reginald reg reggie; rhys reece rees; richard rick dick richie
ricky; robert bob rob bobby robbie bert; roderick rod roddy; rodney rodders; roger rog; ronald ron ronnie; rosemary rosie rose;
russell russ; samantha sam; samuel sam sammy; sandra sandy; sarah sara sally sadie; sharon shaz; sheila shelagh; sian shan;
simon si; sophia sophie sofia; stephanie steph; stephen steve steven stevie; stuart stewart stu; susan sue susie suzanne; sylvia
silvia; teresa theresa terry tess; terence terry terrance; thomas tom tommy; timothy tim timmy; tracey tracy; valerie val;
veronica ronnie; victor vic; victoria vicky vicki tori; vincent vince vinny; virginia ginny; walter walt wally; wayne way;
william bill will billy willie liam gwilym; winifred win winnie; yvonne von; zachary zac zach zak
`;

/** First listing wins: a short form of several names keeps one of them, alike at every agency. */
const CANONICAL: ReadonlyMap<string, string> = (() => {
  const table = new Map<string, string>();
  for (const group of GROUPS.split(';')) {
    const names = group.trim().split(/\s+/);
    for (const name of names) if (!table.has(name)) table.set(name, names[0] as string);
  }
  return table;
})();

/** The form a forename is keyed as: `bob` gives `robert`; an unlisted name is itself. */
export const canonicalForename = (name: string): string => CANONICAL.get(name) ?? name;
