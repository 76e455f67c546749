/** Names for invented people, common ones first. No list of real people was used. */
export type NameOrigin = 'british' | 'welsh' | 'south-asian' | 'east-european';

const words = (text: string): readonly string[] => text.trim().split(/\s+/);

export const FORENAMES: Readonly<Record<NameOrigin, readonly string[]>> = {
  british:
    words(`David Susan John Margaret Michael Sarah James Karen Robert Julie Christopher Emma Thomas Laura Daniel
    Rebecca Matthew Jessica Andrew Charlotte Paul Elizabeth Mark Patricia Stephen Linda Richard Helen Peter Samantha William
    Nicola Joseph Lisa Benjamin Claire Samuel Hannah George Sophie Adam Amy Ryan Lucy Simon Katherine Kevin Rachel Gary
    Jennifer Anthony Gemma Luke Kelly Ian Victoria Lee Natalie Craig Chloe Jack Olivia Oliver Emily Harry Grace Callum Megan
    Connor Bethany Liam Leanne Dylan Carol Gareth Janet Owen Sian Rhys Bronwen Darren Dawn Scott Tracey Neil Jacqueline Alan
    Maureen Graham Sheila Keith Jean Roger Doris Barry Joan Colin Irene Trevor Hazel Nigel Pauline Martin Wendy Philip Denise
    Jamie Abigail Aaron Zoe Kieran Paige Nathan Leah Toby Imogen Elliot Freya Hugo Poppy Felix Harriet Reuben Martha Edgar Iris`),
  welsh:
    words(`Dafydd Siân Rhys Megan Gareth Carys Owain Bethan Ieuan Eleri Huw Cerys Siôn Angharad Gwilym Nia Emyr Ffion Aled Rhian
    Tomos Lowri Iwan Mair Geraint Catrin Dylan Gwen Meirion Delyth Gruffydd Heledd Llŷr Anwen Elin Steffan`),
  'south-asian':
    words(`Mohammed Fatima Ali Aisha Imran Priya Amir Nadia Rajesh Sunita Tariq Zainab Vikram Anjali Bilal Samina
    Sanjay Meena Usman Farah Arjun Kavita Hassan Rukhsana Ravi Deepa Yusuf Shabana Harpreet Jaspreet Gurpreet Manpreet Omar
    Saima Kiran Neha Faisal Hina Anil Rekha Adnan Nasreen Dev Pooja Salman Bushra Nikhil Asha Kamran Yasmin`),
  'east-european':
    words(`Piotr Anna Andrzej Maria Tomasz Katarzyna Marcin Agnieszka Pawel Magdalena Mihai Elena Andrei Ioana
    Cristian Alina Jan Ewa Krzysztof Monika Marek Joanna Alexandru Gabriela Adrian Karolina Lukasz Natalia Ionut Daniela
    Vasile Oksana Dmitri Svetlana Jakub Zofia Grzegorz Beata Florin Roxana`),
};

export const SURNAMES: Readonly<Record<NameOrigin, readonly string[]>> = {
  british:
    words(`Smith Jones Williams Taylor Brown Davies Evans Wilson Thomas Johnson Roberts Robinson Thompson Wright Walker
    White Edwards Hughes Green Hall Lewis Harris Clarke Patterson Jackson Wood Turner Martin Cooper Hill Ward Morris Moore
    Clark Lee King Baker Harrison Morgan Allen James Scott Phillips Watson Davis Parker Price Bennett Young Griffiths Mitchell
    Kelly Cook Carter Richardson Bailey Collins Bell Shaw Murphy Miller Cox Richards Khan Marshall Anderson Simpson Ellis Adams
    Singh Begum Wilkinson Foster Chapman Powell Webb Rogers Gray Mason Ali Hunt Hussain Campbell Matthews Owen Palmer Holmes
    Mills Barnes Knight Lloyd Butler Russell Barker Fisher Stevens Jenkins Murray Dixon Harvey O'Brien Ap-Rhys`),
  welsh:
    words(`Jones Davies Williams Evans Thomas Roberts Lewis Hughes Morgan Griffiths Edwards Owen James Rees Price Morris Richards Lloyd
    Phillips Parry Ellis Pritchard Powell Bowen Pugh Howells Jenkins Llewellyn Vaughan Bevan Probert Gwynne`),
  'south-asian':
    words(`Patel Khan Singh Ahmed Hussain Kaur Ali Begum Shah Akhtar Mahmood Iqbal Malik Sharma Rahman Chaudhry Mirza
    Gill Sidhu Dhillon Bhatt Desai Mehta Joshi Rao Reddy Nair Iyer Das Sen Ghosh Bose Chatterjee Mukherjee Aziz Raza Butt Mir
    Qureshi Siddiqui Farooq Javed Bashir Rashid Hamid Karim Miah Uddin Islam Chowdhury Sandhu Grewal Bains Johal Atwal Sohal
    Kapoor Malhotra Khanna Chopra`),
  'east-european':
    words(`Nowak Kowalski Wisniewski Wojcik Kaminski Lewandowski Zielinski Szymanski Wozniak Dabrowski Kozlowski
    Jankowski Mazur Krawczyk Popescu Ionescu Popa Radu Dumitru Stan Stoica Gheorghe Matei Ciobanu Rusu Petrov Ivanov Georgiev
    Dimitrov Nikolov Kovacs Nagy Toth Szabo Horvath Novak Svoboda Dvorak Kazlauskas Petrauskas Jankauskas Berzins Kalnins Ozols`),
};

export const SURNAME_STARTS =
  words(`Hart Ash Black Brad Brook Burn Carl Chester Crow Dun East Elm Fair Farn Gold Green Hal Hazel
  Heath Holl Kirk Lang Leigh Lind Mar Mid Nor Oak Pem Pen Red Ridge Rod Sand Shel South Stan Stock Thorn Trent Wal Water West
  Whit Wind Wood Worth`);
export const SURNAME_ENDS =
  words(`ley ton ham ford well field wood worth by stead man son bridge brook bury combe dale den gate
  greave hurst land more ridge shaw stone ville wick will yard`);
export const STREETS =
  words(`Acacia Albion Beech Cedar Chapel Church Clifton Coronation Dean Elm Ferndale George Grange Hawthorn
  High Hill Jubilee King Laurel Lime Maple Mill Newport North Oak Orchard Park Poplar Queen Richmond River Station Stoke Temple
  Tudor Union Vale Victoria Water Wells`).map((name) => `${name} Road`);
