### What the pages say. Short sentences and everyday words: a test holds them to grade 8.
### `es.ftl` has the same keys and the same variables.

## What an app may do with records of one kind. `$access` has a letter for each: r see, c add, u change, d delete.

verbs =
    { $access ->
       *[r] See
        [c] Add
        [u] Change
        [d] Delete
        [rc] See and add
        [ru] See and change
        [rd] See and delete
        [cu] Add and change
        [cd] Add and delete
        [ud] Change and delete
        [rcu] See, add and change
        [rcd] See, add and delete
        [rud] See, change and delete
        [cud] Add, change and delete
        [rcud] See, add, change and delete
    }
permission = { verbs } { $things }
permission-some = { verbs } some of: { $things }
detail-some = Only those that match this: { $filter }.
detail-changes = The app can change the record itself.

## Whose records.

group-patient = In this patient's record
group-user = In all the records that you may open
group-system = In the records of all patients

## Kinds of records. What clinicians call them otherwise is said to them in their own words.

type-any = the whole health record
    .detail = All that is in the record now, and all that is added later.
type-other = other records ({ $name })
type-AllergyIntolerance = allergies
    .detail = What causes a reaction, and how bad it was.
    .clinician = allergies and intolerances
type-Appointment = appointments
type-Binary = attached files
type-CarePlan = care plans
    .detail = What is planned for the care, and by whom.
type-CareTeam = the care team
    .detail = Who takes part in the care.
type-Claim = bills sent to the insurer
    .clinician = insurance claims
type-Communication = messages
type-Condition = health problems
    .detail = Health problems now and in the past.
    .clinician = conditions, problems and diagnoses
type-Consent = choices about sharing records
    .clinician = consents
type-Coverage = insurance cover
    .detail = Who pays for the care.
    .clinician = coverage
type-Device = implants and devices
type-DiagnosticReport = lab and scan reports
    .clinician = diagnostic reports
type-DocumentReference = notes and letters
    .detail = What the care team has written.
    .clinician = clinical notes and documents
type-Encounter = visits and hospital stays
    .detail = When and where care was given.
    .clinician = encounters
type-EpisodeOfCare = times of care
    .clinician = episodes of care
type-ExplanationOfBenefit = what the insurer paid
    .clinician = explanations of benefit
type-FamilyMemberHistory = family health history
type-Flag = warnings in the record
    .clinician = flags
type-Goal = health goals
type-Group = groups of patients
type-HealthcareService = what a clinic offers
    .clinician = healthcare services
type-ImagingStudy = scans and X-rays
    .clinician = imaging studies
type-Immunization = vaccines
    .detail = Which vaccines were given, and when.
    .clinician = immunizations
type-List = lists in the record
type-Location = where care is given
    .clinician = locations
type-Media = photos and recordings
    .clinician = media
type-Medication = medicines
    .clinician = medications
type-MedicationAdministration = doses of medicine given
    .clinician = medication administrations
type-MedicationDispense = medicines handed out
    .clinician = medication dispenses
type-MedicationRequest = prescribed medicines
    .detail = What was prescribed, and how to take it.
    .clinician = medication requests
type-MedicationStatement = medicines taken
    .clinician = medication statements
type-NutritionOrder = diet orders
    .clinician = nutrition orders
type-Observation = test results and measurements
    .detail = Lab results, blood pressure, weight, smoking and more.
    .clinician = observations
type-Organization = names of clinics and hospitals
    .clinician = organizations
type-Patient = name, birth date and contact details
    .detail = Also sex, address and phone.
    .clinician = patient demographics
type-Person = people linked to the record
    .clinician = persons
type-Practitioner = names of doctors and nurses
    .clinician = practitioners
type-PractitionerRole = where doctors and nurses work
    .clinician = practitioner roles
type-Procedure = treatments and operations
    .clinician = procedures
type-Provenance = where the records came from
    .clinician = provenance
type-Questionnaire = forms to fill in
    .clinician = questionnaires
type-QuestionnaireResponse = answers on forms
    .clinician = questionnaire responses
type-RelatedPerson = family and contacts
    .clinician = related persons
type-Schedule = clinic hours
    .clinician = schedules
type-ServiceRequest = orders and referrals
type-Slot = free times for a visit
    .clinician = slots
type-Specimen = samples taken for tests
    .clinician = specimens
type-Task = tasks of the care team
    .clinician = tasks

## Parts of a kind: the categories of US Core.

category-encounter-diagnosis = what was found at each visit
    .clinician = encounter diagnoses
category-problem-list-item = the problem list
    .detail = Health problems that last or come back.
    .clinician = problem list items
category-health-concern = health worries
    .clinician = health concerns
category-laboratory = lab results
    .detail = Tests of blood, urine and the like.
    .clinician = laboratory results
category-vital-signs = vital signs
    .detail = Blood pressure, heart rate, weight and height.
category-social-history = lifestyle
    .detail = Smoking, drinking, work and the like.
    .clinician = social history
category-sdoh = home, food, money and safety
    .detail = Things outside of medicine that affect health.
    .clinician = social determinants of health
category-survey = answers to health questions
    .detail = Forms about pain, mood and how the day goes.
    .clinician = surveys and assessments
category-procedure = results of other tests
    .detail = Heart tracings, hearing tests and the like.
    .clinician = clinical tests

## What comes with signing in or starting an app.

scope-openid = A number that stands for you, and when you signed in.
scope-fhirUser = Which entry in the health system is yours.
scope-profile = Your name.
scope-email = Your email address.
scope-phone = Your phone number.
scope-address = Your home address.
scope-launch = Which patient and which visit you have open.
scope-launch-patient = Which patient this is about.
scope-launch-encounter = Which visit this is about.
scope-launch-context = What else you have open: { $things }.
scope-offline_access = The app keeps this access while you are away.
scope-online_access = The app keeps this access until you sign out.
scope-__launch = Start apps here, with a patient that it names.
scope-__introspect = Ask what the access of an app is good for.

## Every page.

page-footer = Admit, the sign-in service of
page-error = Error
page-signed-in-as = Signed in as
page-switch-user = Not you? Switch user
page-sign-out = Sign out
page-made-by = Made by
page-own-record = Your own record
page-whose-record = Whose record
page-what-it-may-do = What it may do

## The consent page. An app's name stands before `consent-asks`, names behind the words that end in "by" and "to".

consent-asks = asks for access
consent-back-to = You go back to
consent-verified-by = Verified by
consent-not-verified-by = Not verified by
consent-careful = Allow access only if you know this app and meant to open it.
consent-patient = Patient
consent-birth-date = Birth date
consent-age = Age
consent-sex = Sex
consent-mrn = MRN
consent-female = female
consent-male = male
consent-other = other
consent-not-known = not known
consent-years = { $count } y
consent-months = { $count } mo
consent-days = { $count } d
consent-emergency = Emergency access, outside of your list.
consent-emergency-reason = Your reason:
consent-group-own = In your own record
consent-how-long = How long
consent-offline = Keep this access while you are away
consent-offline-detail = It ends { $days } days after the app last used it, when you remove the app, or when the hospital ends it.
consent-online = The app keeps this access until you sign out here, or until you have been away for a while.
consent-brief = This access ends ten minutes after you allow it. The app has to ask you again after that.
consent-brief-else = If not, this access ends ten minutes after you allow it.
consent-remembered = Your answer is kept for { $days } days. Until then, you are asked again only if the app wants more.
consent-take-back = You can take it back at any time:
consent-asked-before = You have answered this app before. Now it asks again.
consent-untick = Untick what you do not want to allow.
consent-new = New
consent-how-parts = Untick this to choose parts of it.
consent-parts = Or only parts of it
consent-technical = Technical names of these permissions
consent-always = Always shared
consent-always-why = This comes with signing in and cannot be left out.
consent-about = About the app
consent-attested = The maker has promised to keep the rules of a code of conduct for health apps.
consent-not-attested = The maker has not promised to keep the rules of a code of conduct for health apps.
consent-attested-unknown = The maker has not said if it keeps the rules of a code of conduct for health apps.
consent-website = Its web site
consent-policy = What happens to your data
consent-terms = Terms of use
consent-of = of
consent-selected = selected
consent-allow = Allow access
consent-deny = Deny
consent-tick-something = Tick at least one of the boxes, or press Deny.
consent-whole-and-parts = You ticked the whole of something and parts of it as well. Here the whole is ticked. Untick it to allow parts only.
consent-too-many = That is more than an app can be given one by one. Tick fewer boxes, or the whole.

## The page of a person's apps. An app's name stands before `apps-removed`.

apps-title = Your apps
apps-lead = These apps can open health records because you let them. You can take that back at any time.
apps-removed = was removed. It cannot get in again without asking you. What it has open now closes within ten minutes.
apps-none = No app has access at the moment.
apps-since = Allowed since
apps-last-used = Last used
apps-not-used = Not at the moment
apps-when = When it can look
apps-offline = Also while you are away
apps-online = While you are signed in
apps-brief = While you use it
apps-ends = Ends if not used
apps-remembered = Until it ends, it may come back without asking you again.
apps-closed-record = A record that cannot be shown now
apps-remove = Remove access
apps-remove-what = The app can then look into this record no more. What it has copied stays with it: ask its maker to delete that.
apps-remove-yes = Yes, remove access
