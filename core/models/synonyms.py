"""The words that the starter's words head was trained on, and what they are called in six languages.

Each entry lists singular and plural, in lower case and with the accents that the language writes. What means different
things of the list in different languages is left out.
"""

from __future__ import annotations

LANGUAGES = ("en", "de", "fr", "es", "pt", "it")

SYNONYMS: dict[str, dict[str, str]] = {
    "building": {
        "en": "building, buildings, house, houses, roof, roofs, rooftop, rooftops, home, homes, hut, huts, shed, sheds,"
        " barn, barns, warehouse, warehouses, hall, halls, factory, factories, garage, garages",
        "de": "Gebäude, Haus, Häuser, Dach, Dächer, Hütte, Hütten, Schuppen, Scheune, Scheunen, Halle, Hallen,"
        " Lagerhalle, Lagerhallen, Fabrik, Fabriken, Bauwerk, Bauwerke, Garage, Garagen, Wohnhaus, Wohnhäuser",
        "fr": "bâtiment, bâtiments, maison, maisons, toit, toits, toiture, toitures, immeuble, immeubles, hangar,"
        " hangars, cabane, cabanes, grange, granges, entrepôt, entrepôts, usine, usines, bâti",
        "es": "edificio, edificios, casa, casas, tejado, tejados, techo, techos, construcción, construcciones,"
        " edificación, edificaciones, choza, chozas, granero, graneros, almacén, almacenes, nave, naves, fábrica,"
        " fábricas",
        "pt": "edifício, edifícios, prédio, prédios, casa, casas, telhado, telhados, construção, construções,"
        " edificação, edificações, cabana, cabanas, celeiro, celeiros, armazém, armazéns, fábrica, fábricas",
        "it": "edificio, edifici, casa, case, tetto, tetti, fabbricato, fabbricati, costruzione, costruzioni, palazzo,"
        " palazzi, capanna, capanne, fienile, fienili, capannone, capannoni, fabbrica, fabbriche",
    },
    "tree": {
        "en": "tree, trees, crown, crowns, tree crown, tree crowns, canopy, canopies, forest, forests, wood, woods,"
        " woodland, woodlands, grove, groves",
        "de": "Baum, Bäume, Baumkrone, Baumkronen, Krone, Kronen, Wald, Wälder, Gehölz, Gehölze, Hain, Haine",
        "fr": "arbre, arbres, houppier, houppiers, forêt, forêts, bois, bosquet, bosquets, canopée, canopées,"
        " couronne d'arbre, couronnes d'arbres",
        "es": "árbol, árboles, copa, copas, bosque, bosques, arboleda, arboledas, dosel, doseles",
        "pt": "árvore, árvores, copa, copas, floresta, florestas, bosque, bosques, mata, matas, arvoredo, arvoredos,"
        " dossel, dosséis",
        "it": "albero, alberi, chioma, chiome, bosco, boschi, foresta, foreste, boschetto, boschetti",
    },
    "grass": {
        "en": "grass, grasses, lawn, lawns, meadow, meadows, grassland, grasslands, pasture, pastures",
        "de": "Gras, Gräser, Rasen, Wiese, Wiesen, Weide, Weiden, Grünland, Rasenfläche, Rasenflächen",
        "fr": "herbe, herbes, gazon, gazons, pelouse, pelouses, pré, prés, prairie, prairies, pâturage, pâturages",
        "es": "hierba, hierbas, césped, céspedes, pasto, pastos, pradera, praderas, prado, prados, pastizal,"
        " pastizales",
        "pt": "grama, gramas, relva, relvas, gramado, gramados, relvado, relvados, prado, prados, pastagem, pastagens,"
        " capim",
        "it": "erba, erbe, prato, prati, pascolo, pascoli",
    },
    "field": {
        "en": "field, fields, farmland, cropland, crop, crops, plot, plots, arable land, crop field, crop fields,"
        " agricultural field, agricultural fields, farm field, farm fields",
        "de": "Feld, Felder, Acker, Äcker, Ackerland, Ackerfläche, Ackerflächen, Parzelle, Parzellen, Schlag, Schläge",
        "fr": "champ, champs, parcelle, parcelles, culture, cultures, terre agricole, terres agricoles,"
        " champ cultivé, champs cultivés",
        "es": "campo, campos, cultivo, cultivos, parcela, parcelas, campo de cultivo, campos de cultivo, sembrado,"
        " sembrados",
        "pt": "campo, campos, lavoura, lavouras, plantação, plantações, parcela, parcelas, cultivo, cultivos,"
        " campo agrícola, campos agrícolas",
        "it": "campo, campi, coltivo, coltivi, coltura, colture, parcella, parcelle, appezzamento, appezzamenti,"
        " campo coltivato, campi coltivati",
    },
    "bare soil": {
        "en": "bare soil, bare soils, soil, soils, bare ground, dirt, sand, bare earth, bare land, earth",
        "de": "Boden, Böden, offener Boden, offene Böden, nackter Boden, Erde, Sand, unbewachsener Boden, Rohboden,"
        " Rohböden",
        "fr": "sol nu, sols nus, sol, sols, terre nue, terres nues, sable, sables",
        "es": "suelo desnudo, suelos desnudos, suelo, suelos, tierra, tierras, tierra desnuda, arena, arenas",
        "pt": "solo exposto, solos expostos, solo nu, solos nus, solo, solos, terra, terras, terra nua, areia, areias",
        "it": "suolo nudo, suoli nudi, suolo, suoli, terreno nudo, terreni nudi, terra, terra nuda, sabbia, sabbie",
    },
    "water": {
        "en": "water, waters, lake, lakes, pond, ponds, river, rivers, creek, creeks, stream, streams, canal, canals,"
        " reservoir, reservoirs, sea, seas, ocean, oceans, water body, water bodies, waterbody, waterbodies",
        "de": "Wasser, Gewässer, See, Seen, Teich, Teiche, Weiher, Fluss, Flüsse, Bach, Bäche, Kanal, Kanäle, Meer,"
        " Meere, Stausee, Stauseen, Tümpel, Wasserfläche, Wasserflächen",
        "fr": "eau, eaux, lac, lacs, étang, étangs, mare, mares, rivière, rivières, fleuve, fleuves, ruisseau,"
        " ruisseaux, canal, canaux, mer, mers, plan d'eau, plans d'eau",
        "es": "agua, aguas, lago, lagos, laguna, lagunas, estanque, estanques, río, ríos, arroyo, arroyos, canal,"
        " canales, embalse, embalses, mar, mares, charca, charcas, cuerpo de agua, cuerpos de agua",
        "pt": "água, águas, lago, lagos, lagoa, lagoas, rio, rios, riacho, riachos, ribeiro, ribeiros, canal, canais,"
        " represa, represas, mar, mares, corpo d'água, corpos d'água, espelho d'água, espelhos d'água",
        "it": "acqua, acque, lago, laghi, stagno, stagni, laghetto, laghetti, fiume, fiumi, torrente, torrenti, canale,"
        " canali, mare, mari, bacino, bacini, specchio d'acqua, specchi d'acqua",
    },
    "pool": {
        "en": "pool, pools, swimming pool, swimming pools",
        "de": "Schwimmbecken, Schwimmbad, Schwimmbäder, Swimmingpool, Swimmingpools, Pool, Pools",
        "fr": "piscine, piscines, bassin de natation, bassins de natation",
        "es": "piscina, piscinas, alberca, albercas, pileta, piletas",
        "pt": "piscina, piscinas",
        "it": "piscina, piscine",
    },
    "road": {
        "en": "road, roads, street, streets, highway, highways, motorway, motorways, lane, lanes, track, tracks, path,"
        " paths, dirt road, dirt roads",
        "de": "Straße, Straßen, Weg, Wege, Autobahn, Autobahnen, Feldweg, Feldwege, Landstraße, Landstraßen, Gasse,"
        " Gassen, Fahrbahn, Fahrbahnen, Pfad, Pfade",
        "fr": "route, routes, rue, rues, chemin, chemins, autoroute, autoroutes, voie, voies, chaussée, chaussées,"
        " sentier, sentiers",
        "es": "carretera, carreteras, calle, calles, camino, caminos, autopista, autopistas, vía, vías, sendero,"
        " senderos",
        "pt": "estrada, estradas, rua, ruas, caminho, caminhos, rodovia, rodovias, autoestrada, autoestradas, via,"
        " vias, trilha, trilhas",
        "it": "strada, strade, via, vie, autostrada, autostrade, sentiero, sentieri, carreggiata, carreggiate",
    },
    "pavement": {
        "en": "pavement, pavements, paving, paved surface, paved surfaces, asphalt, concrete, tarmac, parking lot,"
        " parking lots, car park, car parks",
        "de": "Pflaster, Asphalt, Asphaltfläche, Asphaltflächen, Beton, Parkplatz, Parkplätze,"
        " versiegelte Fläche, versiegelte Flächen, befestigte Fläche, befestigte Flächen",
        "fr": "asphalte, bitume, béton, dallage, dallages, parking, parkings, parc de stationnement,"
        " parcs de stationnement, surface revêtue, surfaces revêtues",
        "es": "pavimento, pavimentos, asfalto, hormigón, aparcamiento, aparcamientos, estacionamiento,"
        " estacionamientos, superficie pavimentada, superficies pavimentadas",
        "pt": "pavimento, pavimentos, asfalto, concreto, betão, estacionamento, estacionamentos,"
        " superfície pavimentada, superfícies pavimentadas",
        "it": "pavimentazione, pavimentazioni, asfalto, cemento, calcestruzzo, parcheggio, parcheggi,"
        " superficie pavimentata, superfici pavimentate",
    },
    "vehicle": {
        "en": "vehicle, vehicles, car, cars, truck, trucks, lorry, lorries, van, vans, bus, buses, automobile,"
        " automobiles",
        "de": "Fahrzeug, Fahrzeuge, Auto, Autos, Lastwagen, Lkw, Pkw, Kraftfahrzeug, Kraftfahrzeuge, Bus, Busse, Wagen",
        "fr": "véhicule, véhicules, voiture, voitures, camion, camions, automobile, automobiles, fourgon, fourgons,"
        " bus, autobus",
        "es": "vehículo, vehículos, coche, coches, carro, carros, auto, autos, camión, camiones, automóvil,"
        " automóviles, furgoneta, furgonetas, autobús, autobuses",
        "pt": "veículo, veículos, carro, carros, caminhão, caminhões, camião, camiões, automóvel, automóveis, ônibus,"
        " autocarro, autocarros",
        "it": "veicolo, veicoli, auto, automobile, automobili, macchina, macchine, camion, furgone, furgoni, autobus",
    },
    "boat": {
        "en": "boat, boats, ship, ships, vessel, vessels, yacht, yachts, barge, barges, ferry, ferries",
        "de": "Boot, Boote, Schiff, Schiffe, Jacht, Jachten, Yacht, Yachten, Fähre, Fähren, Kahn, Kähne",
        "fr": "bateau, bateaux, navire, navires, yacht, yachts, péniche, péniches, barque, barques",
        "es": "barco, barcos, buque, buques, bote, botes, yate, yates, embarcación, embarcaciones, lancha, lanchas",
        "pt": "barco, barcos, navio, navios, iate, iates, embarcação, embarcações, lancha, lanchas, balsa, balsas",
        "it": "barca, barche, nave da carico, navi da carico, navi, imbarcazione, imbarcazioni, traghetto,"
        " traghetti, battello, battelli",
    },
    "airplane": {
        "en": "airplane, airplanes, aeroplane, aeroplanes, aircraft, plane, planes, jet, jets",
        "de": "Flugzeug, Flugzeuge, Flieger",
        "fr": "avion, avions, aéronef, aéronefs",
        "es": "avión, aviones, aeronave, aeronaves, aeroplano, aeroplanos",
        "pt": "avião, aviões, aeronave, aeronaves",
        "it": "aereo, aerei, aeroplano, aeroplani, velivolo, velivoli",
    },
    "tank": {
        "en": "tank, tanks, storage tank, storage tanks, oil tank, oil tanks, silo, silos",
        "de": "Tank, Tanks, Lagertank, Lagertanks, Öltank, Öltanks, Silo, Silos, Tanklager",
        "fr": "citerne, citernes, cuve, cuves, silo, silos, réservoir de stockage, réservoirs de stockage",
        "es": "tanque, tanques, depósito, depósitos, silo, silos, cisterna, cisternas, tanque de almacenamiento,"
        " tanques de almacenamiento",
        "pt": "tanque, tanques, silo, silos, cisterna, cisternas, depósito, depósitos, tanque de armazenamento,"
        " tanques de armazenamento",
        "it": "serbatoio, serbatoi, cisterna, cisterne, silo, silos, sili",
    },
    "sports ground": {
        "en": "sports ground, sports grounds, sports field, sports fields, pitch, pitches, court, courts, tennis court,"
        " tennis courts, football pitch, football pitches, soccer field, soccer fields, basketball court,"
        " basketball courts, playing field, playing fields",
        "de": "Sportplatz, Sportplätze, Sportfeld, Sportfelder, Fußballplatz, Fußballplätze, Tennisplatz, Tennisplätze,"
        " Spielfeld, Spielfelder, Bolzplatz, Bolzplätze",
        "fr": "terrain de sport, terrains de sport, terrain de football, terrains de football, court de tennis,"
        " courts de tennis, terrain de jeu, terrains de jeu",
        "es": "campo deportivo, campos deportivos, campo de fútbol, campos de fútbol, cancha, canchas,"
        " cancha de tenis, canchas de tenis, pista de tenis, pistas de tenis",
        "pt": "campo esportivo, campos esportivos, campo desportivo, campos desportivos, campo de futebol,"
        " campos de futebol, quadra, quadras, quadra de tênis, quadras de tênis, campo de ténis, campos de ténis",
        "it": "campo sportivo, campi sportivi, campo da calcio, campi da calcio, campo da tennis, campi da tennis,"
        " campo di calcio, campi di calcio",
    },
    "solar panel": {
        "en": "solar panel, solar panels, photovoltaic panel, photovoltaic panels, solar array, solar arrays,"
        " photovoltaics, solar farm, solar farms",
        "de": "Solarpanel, Solarpanele, Solarmodul, Solarmodule, Solaranlage, Solaranlagen, Photovoltaik,"
        " Photovoltaikanlage, Photovoltaikanlagen, Solarpark, Solarparks",
        "fr": "panneau solaire, panneaux solaires, panneau photovoltaïque, panneaux photovoltaïques,"
        " centrale solaire, centrales solaires",
        "es": "panel solar, paneles solares, placa solar, placas solares, panel fotovoltaico, paneles fotovoltaicos",
        "pt": "painel solar, painéis solares, painel fotovoltaico, painéis fotovoltaicos, placa solar, placas solares",
        "it": "pannello solare, pannelli solari, pannello fotovoltaico, pannelli fotovoltaici",
    },
    "cloud": {
        "en": "cloud, clouds",
        "de": "Wolke, Wolken",
        "fr": "nuage, nuages",
        "es": "nube, nubes",
        "pt": "nuvem, nuvens",
        "it": "nuvola, nuvole, nube, nubi",
    },
}
"""What each word is called, by language (ISO 639-1), in the order of the head's output."""
